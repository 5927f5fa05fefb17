//! Operations on queueing disciplines over rtnetlink.

mod htb;
mod layout;
mod tbf;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::tc::{
    TcAttribute, TcFilterU32Option, TcHandle, TcMessage, TcU32Key, TcU32Selector,
    TcU32SelectorFlags,
};
use nix::errno::Errno;
use rtnetlink::Error;
use rtnetlink::packet_core::{NLM_F_CREATE, NLM_F_EXCL};

use super::{Netlink, send};
use crate::{
    ClassPackets, HtbClass, HtbFlow, KernelError, LinkId, QueueHook, Queues, RootQueue, Shape, Tbf,
    TrafficControl, TrafficControlRead,
};

/// The handle of root queueing disciplines that this program sets: "wv". It
/// tells them from foreign ones.
const OURS: TcHandle = TcHandle {
    major: 0x7776,
    minor: 0,
};

/// The handle of the queue of an HTB's packets of no class.
const QUEUE_OF_REST: TcHandle = TcHandle {
    major: 0x7777,
    minor: 0,
};

/// The class of an HTB above all other classes.
const WHOLE: u16 = 1;

/// The handle of ingress queueing disciplines (`pkt_sched.h`, TC_H_INGRESS
/// without its minor number).
const INGRESS: TcHandle = TcHandle {
    major: u16::MAX,
    minor: 0,
};

/// The protocols of filters: all (`if_ether.h`, ETH_P_ALL), IPv4 and IPv6.
const ALL: u16 = 0x0003;
const V4: u16 = 0x0800;
const V6: u16 = 0x86dd;

impl TrafficControlRead for Netlink {
    fn queues(&mut self, link: LinkId) -> Result<Queues, KernelError> {
        let handle = self.handle(link.namespace)?;
        let get = handle.qdisc().get().index(index(link)?);
        let answers = self.collect(get.execute())?;
        let mut queues = Queues::default();
        for header in answers.iter().map(|answer| &answer.header) {
            if header.index != index(link)? {
                continue;
            }
            match (header.parent, header.handle) {
                (TcHandle::INGRESS, _) => queues.ingress = true,
                // The kernel's default has no handle.
                (TcHandle::ROOT, TcHandle::UNSPEC) => {}
                (TcHandle::ROOT, OURS) => queues.root = Some(RootQueue::Ours),
                (TcHandle::ROOT, _) => queues.root = Some(RootQueue::Foreign),
                _ => {}
            }
        }
        Ok(queues)
    }

    fn htb_classes(&mut self, link: LinkId) -> Result<Vec<u16>, KernelError> {
        let handle = self.handle(link.namespace)?;
        let get = handle.traffic_class(index(link)?).get();
        let answers = self.collect(get.execute())?;
        let handles = answers.iter().map(|answer| answer.header.handle);
        Ok(handles
            .filter(|handle| handle.major == OURS.major)
            .map(|handle| handle.minor)
            .collect())
    }
}

impl TrafficControl for Netlink {
    fn set_tbf(&mut self, link: LinkId, tbf: &Tbf) -> Result<(), KernelError> {
        let mut message = message(link, OURS, TcHandle::ROOT)?;
        message.attributes = layout::tbf(tbf);
        self.add(link, RouteNetlinkMessage::NewQueueDiscipline(message))
    }

    fn set_htb(&mut self, link: LinkId, whole: Shape) -> Result<(), KernelError> {
        let mut root = message(link, OURS, TcHandle::ROOT)?;
        root.attributes = layout::htb(HtbClass::REST);
        self.add(link, RouteNetlinkMessage::NewQueueDiscipline(root))?;
        self.add_class(link, (OURS, WHOLE), whole, whole)
            .map_err(KernelError::unfinished)?;
        let least = Shape::new(8, whole.burst()).unwrap_or(whole);
        self.add_class(link, (class(WHOLE), HtbClass::REST), least, whole)
            .map_err(KernelError::unfinished)?;
        // Without its own, the class has a queue of as many packets as the link's.
        let mut queue = message(link, QUEUE_OF_REST, class(HtbClass::REST))?;
        queue.attributes = layout::queue_of(whole);
        self.add(link, RouteNetlinkMessage::NewQueueDiscipline(queue))
            .map_err(KernelError::unfinished)
    }

    fn add_htb_class(&mut self, link: LinkId, new: &HtbClass) -> Result<(), KernelError> {
        let place = (class(WHOLE), new.number);
        self.add_class(link, place, new.assured, new.ceiling)?;
        let to = class(new.number);
        self.add_filter(link, new.number, new.packets, to)
            .map_err(KernelError::unfinished)
    }

    fn add_htb_filter(
        &mut self,
        link: LinkId,
        priority: u16,
        packets: ClassPackets,
        flow: HtbFlow,
    ) -> Result<(), KernelError> {
        let to = match flow {
            HtbFlow::Direct => OURS,
            HtbFlow::Rest => class(HtbClass::REST),
        };
        self.add_filter(link, priority, packets, to)
    }

    fn remove_htb_class(
        &mut self,
        link: LinkId,
        number: u16,
        packets: ClassPackets,
    ) -> Result<(), KernelError> {
        for _ in 0..2 {
            match self.delete_filter(link, number, packets) {
                Err(error) if error.is_not_found() => {}
                Err(error) if error.errno() == Some(Errno::EINVAL) => {}
                result => {
                    result?;
                    break;
                }
            }
        }
        let message = message(link, class(number), class(WHOLE))?;
        let handle = self.handle(link.namespace)?.clone();
        let request = RouteNetlinkMessage::DelTrafficClass(message);
        self.wait(send(handle, request, 0))
    }

    fn redirect_ingress(&mut self, link: LinkId, to: u32) -> Result<(), KernelError> {
        let mut message = message(link, INGRESS, TcHandle::INGRESS)?;
        message.attributes = vec![TcAttribute::Kind("ingress".to_owned())];
        self.add(link, RouteNetlinkMessage::NewQueueDiscipline(message))?;
        let mut filters = self.handle(link.namespace)?.traffic_filter(index(link)?);
        let filter = filters.add().parent(INGRESS.into()).protocol(ALL.to_be());
        let filter = filter.redirect(to).map_err(|error| malformed(&error))?;
        self.wait(filter.execute()).map_err(KernelError::unfinished)
    }

    fn remove_queue(&mut self, link: LinkId, hook: QueueHook) -> Result<(), KernelError> {
        let message = match hook {
            QueueHook::Root => message(link, OURS, TcHandle::ROOT)?,
            QueueHook::Ingress => message(link, INGRESS, TcHandle::INGRESS)?,
        };
        let handle = self.handle(link.namespace)?.clone();
        let request = RouteNetlinkMessage::DelQueueDiscipline(message);
        self.wait(send(handle, request, 0))
    }
}

impl Netlink {
    fn add(&self, link: LinkId, request: RouteNetlinkMessage) -> Result<(), KernelError> {
        let handle = self.handle(link.namespace)?.clone();
        self.wait(send(handle, request, NLM_F_CREATE | NLM_F_EXCL))
    }

    fn add_class(
        &self,
        link: LinkId,
        (parent, number): (TcHandle, u16),
        assured: Shape,
        ceiling: Shape,
    ) -> Result<(), KernelError> {
        let mut message = message(link, class(number), parent)?;
        message.attributes = layout::htb_class(assured, ceiling);
        self.add(link, RouteNetlinkMessage::NewTrafficClass(message))
    }

    /// Adds a filter that leads packets to a class, or with the handle of the queueing
    /// discipline past all classes (`htb_classify`).
    fn add_filter(
        &mut self,
        link: LinkId,
        priority: u16,
        packets: ClassPackets,
        to: TcHandle,
    ) -> Result<(), KernelError> {
        let mut filters = self.handle(link.namespace)?.traffic_filter(index(link)?);
        let filter = filters
            .add()
            .parent(OURS.into())
            .priority(priority)
            .protocol(protocol(packets).to_be())
            .u32(&[
                TcFilterU32Option::ClassId(to),
                TcFilterU32Option::Selector(selector(packets)),
            ])
            .map_err(|error| malformed(&error))?;
        self.wait(filter.execute())
    }

    fn delete_filter(
        &self,
        link: LinkId,
        number: u16,
        packets: ClassPackets,
    ) -> Result<(), KernelError> {
        let mut message = message(link, TcHandle::UNSPEC, OURS)?;
        message.header.info = u32::from(TcHandle {
            major: number,
            minor: protocol(packets).to_be(),
        });
        let handle = self.handle(link.namespace)?.clone();
        let request = RouteNetlinkMessage::DelTrafficFilter(message);
        self.wait(send(handle, request, 0))
    }
}

/// Returns the handle of a class in this program's HTB.
fn class(number: u16) -> TcHandle {
    TcHandle {
        minor: number,
        ..OURS
    }
}

/// Returns the index as messages of traffic control encode it.
fn index(link: LinkId) -> Result<i32, KernelError> {
    Ok(i32::try_from(link.index).map_err(|_| Errno::ENODEV)?)
}

fn message(link: LinkId, handle: TcHandle, parent: TcHandle) -> Result<TcMessage, KernelError> {
    let mut message = TcMessage::with_index(index(link)?);
    message.header.handle = handle;
    message.header.parent = parent;
    Ok(message)
}

fn protocol(packets: ClassPackets) -> u16 {
    if packets.is_v6() { V6 } else { V4 }
}

/// Returns a selector that compares the addresses in a packet's header, 32 bits
/// at a time.
fn selector(packets: ClassPackets) -> TcU32Selector {
    let (source, destination) = if packets.is_v6() { (8, 24) } else { (12, 16) };
    let mut keys = Vec::new();
    for (network, offset) in [
        (packets.source(), source),
        (packets.destination(), destination),
    ] {
        let words = network.map(layout::words).unwrap_or_default();
        for ((value, mask), offset) in words.into_iter().zip((offset..).step_by(4)) {
            let mut key = TcU32Key::default();
            (key.val, key.mask, key.off) = (value, mask, offset);
            keys.push(key);
        }
    }
    let mut selector = TcU32Selector::default();
    selector.flags = TcU32SelectorFlags::Terminal;
    selector.nkeys = u8::try_from(keys.len()).unwrap_or(u8::MAX);
    selector.keys = keys;
    selector
}

/// Returns the error for a request that is malformed, which only a bug can
/// cause.
fn malformed(error: &Error) -> KernelError {
    KernelError::Netlink(error.to_string())
}

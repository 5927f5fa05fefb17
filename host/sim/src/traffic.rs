//! Queueing disciplines.

use kernel::{
    ClassPackets, HtbClass, HtbFlow, KernelError, LinkId, QueueHook, Queues, RootQueue, Shape,
    TX_QUEUE_LENGTH, Tbf, TrafficControl, TrafficControlRead,
};
use nix::errno::Errno;

use super::Simulation;
use super::link::Number;
use super::machine::Machine;

/// The class of the whole.
const WHOLE: u16 = 1;

impl TrafficControlRead for Simulation {
    fn queues(&mut self, link: LinkId) -> Result<Queues, KernelError> {
        self.in_time()?.queues(link)
    }

    fn htb_classes(&mut self, link: LinkId) -> Result<Vec<u16>, KernelError> {
        self.in_time()?.htb_classes(link)
    }
}

impl TrafficControl for Simulation {
    fn set_tbf(&mut self, link: LinkId, tbf: &Tbf) -> Result<(), KernelError> {
        self.in_time()?.set_tbf(link, tbf.shape)
    }

    fn set_htb(&mut self, link: LinkId, whole: Shape) -> Result<(), KernelError> {
        self.in_time()?.set_htb(link, whole)
    }

    fn add_htb_class(&mut self, at: LinkId, class: &HtbClass) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let mut classes = machine.own_classes(at)?;
        // `tbf_find` has any class.
        if classes.contains(&class.number) || !classes.contains(&HtbClass::REST) {
            return Err(Errno::EEXIST.into());
        }
        classes.push(class.number);
        let (number, _) = machine.find(at)?;
        machine.edit(number, |link| link.classes = Some(classes));
        Ok(())
    }

    fn remove_htb_class(
        &mut self,
        at: LinkId,
        number: u16,
        _packets: ClassPackets,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let mut classes = machine.own_classes(at)?;
        if !classes.contains(&HtbClass::REST) {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let place = classes.iter().position(|it| *it == number);
        classes.remove(place.ok_or(Errno::ENOENT)?);
        let (link, _) = machine.find(at)?;
        machine.edit(link, |link| link.classes = Some(classes));
        Ok(())
    }

    fn add_htb_filter(
        &mut self,
        at: LinkId,
        _priority: u16,
        packets: ClassPackets,
        flow: HtbFlow,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        if !machine.own_classes(at)?.contains(&HtbClass::REST) {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let (number, _) = machine.find(at)?;
        machine.edit(number, |link| link.flows.push((packets, flow)));
        Ok(())
    }

    fn redirect_ingress(&mut self, at: LinkId, to: u32) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let queues = machine.queues(at)?;
        if queues.ingress {
            return Err(Errno::EEXIST.into());
        }
        // The queue is there before what leads from it.
        let target = machine
            .find(LinkId { index: to, ..at })
            .map(|(target, _)| target);
        let (number, _) = machine.find(at)?;
        machine.edit(number, |link| {
            link.queues = Some(Queues {
                ingress: true,
                ..queues
            });
            link.redirect = target.as_ref().ok().copied();
        });
        machine.make_room(number);
        match target {
            Ok(_) => Ok(()),
            Err(error) => Err(KernelError::Unfinished(Box::new(error))),
        }
    }

    fn remove_queue(&mut self, at: LinkId, hook: QueueHook) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let mut queues = machine.queues(at)?;
        // `tc_get_qdisc`: the kernel's own at the root has no handle.
        if !queues.has(hook) {
            return Err(match hook {
                QueueHook::Root => Errno::EINVAL,
                QueueHook::Ingress => Errno::ENOENT,
            }
            .into());
        }
        let (number, _) = machine.find(at)?;
        match hook {
            QueueHook::Root => queues.root = None,
            QueueHook::Ingress => queues.ingress = false,
        }
        machine.edit(number, |link| {
            link.queues = Some(queues);
            match hook {
                QueueHook::Root => {
                    link.classes = Some(Vec::new());
                    (link.shape, link.flows) = (None, Vec::new());
                }
                QueueHook::Ingress => link.redirect = None,
            }
        });
        Ok(())
    }
}

impl Machine {
    pub(super) fn queues(&mut self, at: LinkId) -> Result<Queues, KernelError> {
        let (_, link) = self.find(at)?;
        match (link.queues, link.real()) {
            (Some(queues), _) => Ok(queues),
            (None, Some(real)) => self.reader.queues(real),
            (None, None) => Ok(Queues::default()),
        }
    }

    /// Sets a token bucket filter at the root. It has one class (`tbf_walk`).
    pub(super) fn set_tbf(&mut self, at: LinkId, shape: Shape) -> Result<(), KernelError> {
        self.set_root(at, shape, &[WHOLE])
    }

    /// Sets a hierarchical token bucket, with a class for the whole and one for what
    /// no other takes.
    pub(super) fn set_htb(&mut self, at: LinkId, whole: Shape) -> Result<(), KernelError> {
        self.set_root(at, whole, &[WHOLE, HtbClass::REST])
    }

    /// Sets a queueing discipline at the root, with the classes that it has from
    /// the beginning.
    fn set_root(&mut self, at: LinkId, shape: Shape, classes: &[u16]) -> Result<(), KernelError> {
        let queues = self.queues(at)?;
        if queues.root.is_some() {
            return Err(Errno::EEXIST.into());
        }
        let (number, _) = self.find(at)?;
        self.edit(number, |link| {
            link.queues = Some(Queues {
                root: Some(RootQueue::Ours),
                ..queues
            });
            link.classes = Some(classes.to_vec());
            link.shape = Some(shape);
        });
        self.make_room(number);
        Ok(())
    }

    /// A link that keeps no packets back begins to, as it had no room for any
    /// (`qdisc_create`).
    fn make_room(&mut self, number: Number) {
        self.edit(number, |link| {
            let is_without_queue = !matches!(link.kind(), "" | "ifb" | "tun") || link.is_loopback();
            if is_without_queue && link.state.tx_queue_length == 0 {
                link.state.tx_queue_length = TX_QUEUE_LENGTH;
            }
        });
    }

    pub(super) fn htb_classes(&mut self, at: LinkId) -> Result<Vec<u16>, KernelError> {
        let (_, link) = self.find(at)?;
        match (&link.classes, link.real()) {
            (Some(classes), _) => Ok(classes.clone()),
            (None, Some(real)) => self.reader.htb_classes(real),
            (None, None) => Ok(Vec::new()),
        }
    }

    /// The classes of what was made here at the root (`tc_ctl_tclass`).
    fn own_classes(&mut self, at: LinkId) -> Result<Vec<u16>, KernelError> {
        match self.queues(at)?.root {
            Some(RootQueue::Ours) => self.htb_classes(at),
            _ => Err(Errno::ENOENT.into()),
        }
    }
}

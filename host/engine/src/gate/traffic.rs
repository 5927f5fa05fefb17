//! The interface `traffic`.

use ipnet::IpNet;
use journal::Change;
use kernel::{
    ClassPackets, HtbClass, HtbFlow, KernelError, LinkId, QueueHook, RootQueue, Shape, Tbf,
};
use nix::errno::Errno;
use policy::Call;
use wasmtime::component::Resource;

use super::call::{CallError, Plan, invalid};
use super::links::others_have;
use super::{Gate, Kernel, LinkHandle, bounds};
use crate::driver::wit::traffic::{
    Host, HtbClass as WitClass, HtbFlow as WitFlow, Shape as WitShape, TbfOptions,
};
use crate::rollback::remove_owned_queue;

/// The most filters that a run adds.
const HTB_FILTERS_MAX: u16 = 256;

impl Host for Gate {
    fn set_tbf(
        &mut self,
        link: Resource<LinkHandle>,
        options: TbfOptions,
    ) -> Result<(), CallError> {
        let call = Call::TrafficSetTbf;
        let tbf = Tbf {
            shape: shape(call, options.shape)?,
            latency: options.latency,
        };
        self.set_root(call, &link, |kernel, link| kernel.set_tbf(link, &tbf))
    }

    fn set_htb(&mut self, link: Resource<LinkHandle>, whole: WitShape) -> Result<(), CallError> {
        let call = Call::TrafficSetHtb;
        let whole = shape(call, whole)?;
        self.set_root(call, &link, |kernel, link| kernel.set_htb(link, whole))
    }

    fn add_htb_class(
        &mut self,
        link: Resource<LinkHandle>,
        options: WitClass,
    ) -> Result<(), CallError> {
        let call = Call::TrafficAddHtbClass;
        bounds::addresses(call, [&options.source, &options.destination])?;
        let assured = shape(call, options.assured)?;
        let ceiling = options.ceiling.map(|ceiling| shape(call, ceiling));
        let ceiling = ceiling.transpose()?.unwrap_or(assured);
        let packets = packets(call, &options.source, &options.destination)?;
        let link = self.link(&link)?;
        let objects = [self.object(&link)];
        let permit = self.decide(call, &objects)?;
        if self.owns(&link) && !self.has_alone(&link) && !self.are_containers(packets) {
            return Err(self.record_failure(permit, &objects, class_of_others(&link)));
        }
        // On a shared link the class doesn't go with the link, so it has a record on
        // every link.
        let result = match free_class(self.rollback.guard.open(&permit), link.id) {
            Err(error) => Err(error),
            Ok(number) => self.perform(
                &permit,
                |_| {
                    Ok(Plan::of([Change::AddClass {
                        link: link.id,
                        name: link.name.clone(),
                        number,
                        packets,
                    }]))
                },
                |kernel| {
                    let class = HtbClass {
                        number,
                        assured,
                        ceiling,
                        packets,
                    };
                    kernel.add_htb_class(link.id, &class)
                },
            )?,
        };
        self.record(permit, &objects, result)
    }

    fn add_htb_filter(
        &mut self,
        link: Resource<LinkHandle>,
        source: Option<String>,
        destination: Option<String>,
        flow: WitFlow,
    ) -> Result<(), CallError> {
        let call = Call::TrafficAddHtbFilter;
        bounds::addresses(call, [&source, &destination])?;
        let packets = packets(call, &source, &destination)?;
        let flow = match flow {
            WitFlow::Direct => HtbFlow::Direct,
            WitFlow::Rest => HtbFlow::Rest,
        };
        let link = self.link(&link)?;
        let is_shared = self.owns(&link) && !self.has_alone(&link);
        let is_set = self.owns(&link) || self.queue_entry(&link, QueueHook::Root).is_some();
        let number = self.htb_filters;
        let id = link.id;
        let shared = filter_of_others(&link);
        let objects = [self.object(&link)];
        let plan = move |kernel: &mut dyn Kernel| match is_set && has_htb(kernel, id)? {
            _ if is_shared => Err(shared),
            false => Err(without_htb()),
            true if number >= HTB_FILTERS_MAX => Err(too_many_filters()),
            true => Ok(Plan::nothing()),
        };
        // They come behind those of all classes.
        let priority = HtbClass::REST - HTB_FILTERS_MAX + number;
        self.change(call, &objects, plan, |kernel| {
            kernel.add_htb_filter(id, priority, packets, flow)
        })?;
        self.htb_filters += 1;
        Ok(())
    }

    fn redirect_ingress(
        &mut self,
        link: Resource<LinkHandle>,
        to: Resource<LinkHandle>,
    ) -> Result<(), CallError> {
        let call = Call::TrafficRedirectIngress;
        let (link, to) = (self.link(&link)?, self.link(&to)?);
        if link.id.namespace != to.id.namespace {
            let apart = format!("{} and {} are in two namespaces", link.name, to.name);
            return Err(invalid(call, &apart));
        }
        let plan = self.plan_queue(&link, QueueHook::Ingress)?;
        let objects = [self.object(&link), self.object(&to)];
        self.change(call, &objects, plan, |kernel| {
            remove_old_queue(kernel, link.id, QueueHook::Ingress)?;
            kernel.redirect_ingress(link.id, to.id.index)
        })
    }

    fn clear(&mut self, link: Resource<LinkHandle>) -> Result<(), CallError> {
        let call = Call::TrafficClear;
        let link = self.link(&link)?;
        let own = self.owns(&link);
        if own && !self.has_alone(&link) {
            let shared = format!("{} is shared by the network's containers", link.name);
            return Err(invalid(call, &shared));
        }
        let set = |hook| own || self.queue_entry(&link, hook).is_some();
        let hooks = [QueueHook::Root, QueueHook::Ingress];
        let hooks: Vec<_> = hooks.into_iter().filter(|hook| set(*hook)).collect();
        let objects = [self.object(&link)];
        let permit = self.decide(call, &objects)?;
        let kernel = self.rollback.guard.open(&permit);
        let mut hooks = hooks.into_iter();
        let result = hooks.try_for_each(|hook| remove_old_queue(kernel, link.id, hook));
        if result.is_ok() {
            self.forget_queues(&link)?;
        }
        self.record(permit, &objects, result)
    }
}

impl Gate {
    /// Whether a class has only packets of this container.
    fn are_containers(&self, packets: ClassPackets) -> bool {
        let request = &self.authority.request;
        let mut networks = packets.source().into_iter().chain(packets.destination());
        networks.any(|network| request.is_containers(network))
    }

    /// Sets the root queueing discipline, and replaces an older one of the driver's.
    fn set_root(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
        set: impl FnOnce(&mut dyn Kernel, LinkId) -> Result<(), KernelError>,
    ) -> Result<(), CallError> {
        let link = self.link(link)?;
        let plan = self.plan_queue(&link, QueueHook::Root)?;
        let objects = [self.object(&link)];
        self.change(call, &objects, plan, |kernel| {
            remove_old_queue(kernel, link.id, QueueHook::Root)?;
            set(kernel, link.id)
        })
    }

    /// Returns the plan of a change of a queueing discipline. On a foreign link there
    /// must be none yet, except the driver's own.
    fn plan_queue(
        &mut self,
        link: &LinkHandle,
        hook: QueueHook,
    ) -> Result<impl FnOnce(&mut dyn Kernel) -> Result<Plan, KernelError> + use<>, CallError> {
        let in_use = self.is_in_use_by_others(link)?;
        let known = self.owns(link) || self.queue_entry(link, hook).is_some();
        let link = link.clone();
        Ok(move |kernel: &mut dyn Kernel| {
            if in_use {
                return Err(others_have(&link));
            }
            if known {
                return Ok(Plan::nothing());
            }
            let LinkHandle { id, name } = link;
            if kernel.queues(id)?.has(hook) {
                return Err(Errno::EEXIST.into());
            }
            Ok(Plan::of([Change::SetQueue {
                link: id,
                name,
                hook,
            }]))
        })
    }

    /// Returns the number of the undo record of a queueing discipline.
    pub(super) fn queue_entry(&self, link: &LinkHandle, wanted: QueueHook) -> Option<u32> {
        let is_it = |change: &Change| {
            matches!(change, Change::SetQueue { link: id, name, hook }
                if *id == link.id && *name == link.name && *hook == wanted)
        };
        let mut entries = self
            .rollback
            .journal
            .as_ref()?
            .entries_of(link.id.namespace);
        let entry = entries.find(|entry| is_it(&entry.change));
        entry.map(|entry| entry.number)
    }

    /// Removes the undo records of a link's queueing disciplines and classes.
    fn forget_queues(&mut self, link: &LinkHandle) -> Result<(), CallError> {
        let is_of_link = |change: &Change| {
            matches!(change, Change::SetQueue { link: id, name, .. } | Change::AddClass { link: id, name, .. }
                if *id == link.id && *name == link.name)
        };
        let entries = self.rollback.journal.as_ref().map(|journal| {
            let entries = journal.entries_of(link.id.namespace);
            let of_link = entries.filter(|entry| is_of_link(&entry.change));
            of_link.map(|entry| entry.number).collect::<Vec<_>>()
        });
        let mut entries = entries.unwrap_or_default().into_iter();
        entries.try_for_each(|number| self.forget(number))
    }
}

/// Removes the driver's queueing discipline at a hook.
///
/// # Errors
///
/// Somebody else's is at the root.
fn remove_old_queue(
    kernel: &mut dyn Kernel,
    link: LinkId,
    hook: QueueHook,
) -> Result<(), KernelError> {
    if hook == QueueHook::Root && kernel.queues(link)?.root == Some(RootQueue::Foreign) {
        return Err(Errno::EEXIST.into());
    }
    remove_owned_queue(kernel, link, hook)
}

/// Returns the error for a class that would limit other containers.
fn class_of_others(link: &LinkHandle) -> KernelError {
    KernelError::Refused {
        errno: Errno::EBUSY,
        text: format!(
            "the network's containers share {}, so a class there is for packets from or to one \
             address of this container",
            link.name
        ),
    }
}

/// Returns the error for a filter that would be for other containers.
fn filter_of_others(link: &LinkHandle) -> KernelError {
    KernelError::Refused {
        errno: Errno::EBUSY,
        text: format!(
            "the network's containers share {}, so a filter there would be for their packets, too",
            link.name
        ),
    }
}

fn too_many_filters() -> KernelError {
    KernelError::Refused {
        errno: Errno::ENOSPC,
        text: format!("a run adds at most {HTB_FILTERS_MAX} filters to an htb"),
    }
}

fn without_htb() -> KernelError {
    KernelError::NotFound("the driver has set no htb on this link".to_owned())
}

/// Whether a link has an `htb` of this program. A `tbf` has no class for the rest.
fn has_htb(kernel: &mut dyn Kernel, link: LinkId) -> Result<bool, KernelError> {
    let is_ours = kernel.queues(link)?.root == Some(RootQueue::Ours);
    Ok(is_ours && kernel.htb_classes(link)?.contains(&HtbClass::REST))
}

/// Returns the lowest free class number.
fn free_class(kernel: &mut dyn Kernel, link: LinkId) -> Result<u16, KernelError> {
    if kernel.queues(link)?.root != Some(RootQueue::Ours) {
        return Err(without_htb());
    }
    let taken = kernel.htb_classes(link)?;
    let mut numbers = HtbClass::FIRST..HtbClass::REST - HTB_FILTERS_MAX;
    let free = numbers.find(|number| !taken.contains(number));
    Ok(free.ok_or(Errno::ENOSPC)?)
}

fn shape(call: Call, shape: WitShape) -> Result<Shape, CallError> {
    Shape::new(shape.rate, shape.burst).ok_or_else(|| {
        let text = "nothing would ever be sent: a rate has at least 8 bits per second, and a burst \
                    at least one byte";
        invalid(call, &text)
    })
}

fn packets(
    call: Call,
    source: &Option<String>,
    destination: &Option<String>,
) -> Result<ClassPackets, CallError> {
    let parse = |text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => text
            .parse::<IpNet>()
            .map(Some)
            .map_err(|_| invalid(call, &format!("{text:?} is no network"))),
    };
    let (source, destination) = (parse(source)?, parse(destination)?);
    ClassPackets::new(source, destination).ok_or_else(|| {
        let text = "packets are of a source, a destination, or both of one family";
        invalid(call, &text)
    })
}

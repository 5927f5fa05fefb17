//! Queueing disciplines.

use kernel::{
    ClassPackets, HtbClass, KernelError, LinkId, QueueHook, Queues, RootQueue, Shape, Tbf,
    TrafficControl, TrafficControlRead,
};
use nix::errno::Errno;

use super::Simulation;
use super::machine::Machine;

impl TrafficControlRead for Simulation {
    fn queues(&mut self, link: LinkId) -> Result<Queues, KernelError> {
        self.in_time()?.queues(link)
    }

    fn htb_classes(&mut self, link: LinkId) -> Result<Vec<u16>, KernelError> {
        self.in_time()?.htb_classes(link)
    }
}

impl TrafficControl for Simulation {
    fn set_tbf(&mut self, link: LinkId, _tbf: &Tbf) -> Result<(), KernelError> {
        self.in_time()?.set_root(link)
    }

    fn set_htb(&mut self, link: LinkId, _whole: Shape) -> Result<(), KernelError> {
        self.in_time()?.set_root(link)
    }

    fn add_htb_class(&mut self, at: LinkId, class: &HtbClass) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let mut classes = machine.htb_classes(at)?;
        if classes.contains(&class.number) {
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
        let mut classes = machine.htb_classes(at)?;
        let place = classes.iter().position(|it| *it == number);
        classes.remove(place.ok_or(Errno::ENOENT)?);
        let (link, _) = machine.find(at)?;
        machine.edit(link, |link| link.classes = Some(classes));
        Ok(())
    }

    fn redirect_ingress(&mut self, at: LinkId, to: u32) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let queues = machine.queues(at)?;
        if queues.ingress {
            return Err(Errno::EEXIST.into());
        }
        let (target, _) = machine.find(LinkId { index: to, ..at })?;
        let (number, _) = machine.find(at)?;
        machine.edit(number, |link| {
            link.queues = Some(Queues {
                ingress: true,
                ..queues
            });
            link.redirect = Some(target);
        });
        Ok(())
    }

    fn remove_queue(&mut self, at: LinkId, hook: QueueHook) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let mut queues = machine.queues(at)?;
        if !queues.has(hook) {
            return Err(Errno::ENOENT.into());
        }
        let (number, _) = machine.find(at)?;
        match hook {
            QueueHook::Root => queues.root = None,
            QueueHook::Ingress => queues.ingress = false,
        }
        machine.edit(number, |link| {
            link.queues = Some(queues);
            match hook {
                QueueHook::Root => link.classes = Some(Vec::new()),
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

    /// Sets a queueing discipline at the root.
    pub(super) fn set_root(&mut self, at: LinkId) -> Result<(), KernelError> {
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
            link.classes = Some(Vec::new());
        });
        Ok(())
    }

    pub(super) fn htb_classes(&mut self, at: LinkId) -> Result<Vec<u16>, KernelError> {
        let (_, link) = self.find(at)?;
        match (&link.classes, link.real()) {
            (Some(classes), _) => Ok(classes.clone()),
            (None, Some(real)) => self.reader.htb_classes(real),
            (None, None) => Ok(Vec::new()),
        }
    }
}

//! The interface `sysctl`.

use wasmtime::component::Resource;

use super::perform::{CallError, Plan};
use super::{Gate, Kernel, LinkHandle};
use crate::driver::wit::sysctl::Host;
use crate::grant::Call;
use crate::journal::Change;

impl Host for Gate {
    fn set_autoconf(&mut self, link: Resource<LinkHandle>, on: bool) -> Result<(), CallError> {
        let link = self.link(&link)?;
        let own = self.owns(&link);
        let plan = |kernel: &mut dyn Kernel| {
            if own {
                return Ok(Plan::nothing());
            }
            let before = kernel.autoconf(link.id)?;
            Ok(Plan::of([Change::SetAutoconf {
                link: link.id,
                name: link.name.clone(),
                before,
            }]))
        };
        let objects = [self.object(&link)];
        self.change(Call::SysctlSetAutoconf, &objects, plan, |kernel| {
            kernel.set_autoconf(link.id, on)
        })
    }
}

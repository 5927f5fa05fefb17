//! VFs of a network card with SR-IOV.

use journal::Change;
use kernel::{VfChange, VfLinkState, VfState, VfVlan};
use policy::{Call, Object};
use types::{Mac, NumberRange};
use wasmtime::component::Resource;

use super::{LinkHandle, kinds};
use crate::driver::wit::links as wit;
use crate::gate::call::{CallError, Plan, invalid};
use crate::gate::{Gate, Kernel};
use crate::rollback::vf;

/// The highest priority of a VLAN's frames (IEEE 802.1Q, 3 bits).
const QOS_MAX: u8 = 7;

impl Gate {
    /// Makes the call `links.vfs`.
    pub(super) fn link_vfs(
        &mut self,
        link: &Resource<LinkHandle>,
    ) -> Result<Vec<wit::VfInfo>, CallError> {
        let link = self.link(link)?;
        let objects = [self.object(&link)];
        let vfs = self.read(Call::LinksVfs, &objects, |kernel| kernel.vfs(link.id))?;
        Ok(vfs.iter().map(to_wit).collect())
    }

    /// Changes a VF, which is put back later. On an own link the change needs no
    /// record: the return of a moved link puts back its VFs.
    pub(super) fn change_vf(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
        number: u32,
        change: VfChange,
    ) -> Result<(), CallError> {
        let link = self.link(link)?;
        let own = self.owns(&link);
        let mut objects = vec![self.object(&link)];
        objects.extend(vlan_object(&change));
        let plan = |kernel: &mut dyn Kernel| {
            let before = vf(kernel, link.id, number)?;
            Ok(match own {
                true => Plan::nothing(),
                false => Plan::of([Change::ChangeVf {
                    link: link.id,
                    name: link.name.clone(),
                    before,
                }]),
            })
        };
        self.change(call, &objects, plan, |kernel| {
            kernel.change_vf(link.id, number, change)
        })
    }

    /// Makes the call `links.set-vf-vlan`.
    pub(super) fn change_vf_vlan(
        &mut self,
        link: &Resource<LinkHandle>,
        number: u32,
        vlan: Option<wit::VfVlan>,
    ) -> Result<(), CallError> {
        let call = Call::LinksSetVfVlan;
        let vlan = match vlan {
            Some(vlan) => parse(call, vlan)?,
            None => VfVlan::default(),
        };
        self.change_vf(call, link, number, VfChange::Vlan(vlan))
    }
}

/// Returns the VLAN that a VF gets, as an object of a decision.
fn vlan_object(change: &VfChange) -> Option<Object<'static>> {
    match change {
        VfChange::Vlan(vlan) if vlan.id > 0 => Some(Object::Vlans {
            numbers: NumberRange::one(vlan.id),
            own: false,
        }),
        _ => None,
    }
}

fn parse(call: Call, vlan: wit::VfVlan) -> Result<VfVlan, CallError> {
    if !(1..=kinds::VLAN_MAX).contains(&vlan.id) {
        let last = kinds::VLAN_MAX;
        let text = format!("there is no VLAN {}: they go from 1 to {last}", vlan.id);
        return Err(invalid(call, &text));
    }
    if vlan.qos > QOS_MAX {
        let text = format!(
            "there is no priority {}: the highest is {QOS_MAX}",
            vlan.qos
        );
        return Err(invalid(call, &text));
    }
    Ok(VfVlan {
        id: vlan.id,
        qos: vlan.qos,
        provider: vlan.protocol == wit::VlanProtocol::Dot1ad,
    })
}

fn to_wit(vf: &VfState) -> wit::VfInfo {
    let VfVlan { id, qos, provider } = vf.vlan;
    let protocol = match provider {
        true => wit::VlanProtocol::Dot1ad,
        false => wit::VlanProtocol::Dot1q,
    };
    wit::VfInfo {
        number: vf.number,
        mac: (vf.mac != Mac::NONE).then(|| vf.mac.to_string()),
        vlan: (vf.vlan != VfVlan::default()).then_some(wit::VfVlan { id, qos, protocol }),
        spoof_check: vf.spoof_check,
        trust: vf.trust,
        link_state: match vf.link_state {
            VfLinkState::Auto => wit::VfLinkState::Auto,
            VfLinkState::Enable => wit::VfLinkState::Enable,
            VfLinkState::Disable => wit::VfLinkState::Disable,
        },
        min_rate: vf.min_rate,
        max_rate: vf.max_rate,
    }
}

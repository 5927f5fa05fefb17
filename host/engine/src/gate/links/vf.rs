//! VFs of a network card with SR-IOV.

use journal::{Change, VfLink};
use kernel::{KernelError, LinkId, VfChange, VfLinkState, VfState, VfVlan};
use nix::errno::Errno;
use policy::{Call, Object};
use types::{Mac, Namespace, NumberRange, VLAN_MAX};
use wasmtime::component::Resource;

use super::LinkHandle;
use crate::driver::wit::links as wit;
use crate::gate::call::{CallError, Plan, invalid};
use crate::gate::{Gate, Kernel};
use crate::rollback::{set_vf_mac, vf};

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

    /// Changes a VF, which is put back later. On an own card the change needs no
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
        let used = self.used_vf_link(link.id, number);
        let mut objects = vec![Object::Vf {
            namespace: link.id.namespace,
            card: &link.name,
            number,
            change: Some(change),
            own,
        }];
        objects.extend(vlan_object(&change));
        let permit = self.decide(call, &objects)?;
        let kernel = self.rollback.guard.open(&permit);
        let vf_link = match used.map(|index| vf_link(kernel, index)).transpose() {
            Ok(vf_link) => vf_link,
            Err(error) => return Err(self.record_failure(permit, &objects, error)),
        };
        let plan = |kernel: &mut dyn Kernel| {
            let before = vf(kernel, link.id, number)?;
            Ok(match own {
                true => Plan::nothing(),
                false => Plan::of([Change::ChangeVf {
                    link: link.id,
                    name: link.name.clone(),
                    before,
                    vf_link: vf_link.clone(),
                }]),
            })
        };
        let result = self.perform(&permit, plan, |kernel| match (change, &vf_link) {
            (VfChange::Mac(mac), Some(vf_link)) => {
                set_vf_mac(kernel, link.id, number, (vf_link, mac))
            }
            _ => kernel.change_vf(link.id, number, change),
        })?;
        if result.is_ok() {
            self.note_vf_change(&link, number, change);
        }
        self.record(permit, &objects, result)
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

/// Returns the link on the host of the VF that the run uses.
fn vf_link(kernel: &mut dyn Kernel, index: u32) -> Result<VfLink, KernelError> {
    let namespace = Namespace::Host;
    let state = kernel.link_by_id(LinkId { namespace, index });
    match state {
        Ok(state) => Ok(VfLink {
            index,
            name: state.name,
            mac: state.mac,
        }),
        Err(error) if error.is_not_found() => Err(KernelError::Refused {
            errno: Errno::EBUSY,
            text: "the VF's link isn't on the host any more: a VF is changed before its link is \
                   moved"
                .to_owned(),
        }),
        Err(error) => Err(error),
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
    if !(1..=VLAN_MAX).contains(&vlan.id) {
        let last = VLAN_MAX;
        let text = format!("there is no VLAN {}: they go from 1 to {last}", vlan.id);
        return Err(invalid(call, &text));
    }
    if vlan.qos > VfVlan::QOS_MAX {
        let text = format!(
            "there is no priority {}: the highest is {}",
            vlan.qos,
            VfVlan::QOS_MAX
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

//! Identities of links over rtnetlink, and their alternative names.

use std::os::fd::AsRawFd;

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{InfoData, InfoVlan, LinkAttribute, LinkInfo, LinkMessage, Prop};
use netlink_packet_route::nsid::{NsidAttribute, NsidMessage};
use nix::errno::Errno;
use rtnetlink::Handle;
use types::{LinkName, Namespace};

use super::{Netlink, exchange, link, place};
use crate::{
    FarLink, IdentifiedLink, IdentitiesRead, KernelError, LinkId, LinkIdentity, ParentDevice,
    Whereabouts,
};

impl IdentitiesRead for Netlink {
    fn identified(&mut self, link: LinkId) -> Result<IdentifiedLink, KernelError> {
        let get = self.ask_links(link.namespace)?;
        let message = self.one_link(get.match_index(link.index))?;
        self.identify(link.namespace, &message)
    }

    fn identified_links(
        &mut self,
        namespace: Namespace,
    ) -> Result<Vec<IdentifiedLink>, KernelError> {
        let get = self.ask_links(namespace)?;
        let messages = self.collect(get.execute())?;
        let messages = messages.iter();
        messages
            .map(|message| self.identify(namespace, message))
            .collect()
    }

    fn far_link(&mut self, far: FarLink) -> Result<IdentifiedLink, KernelError> {
        let links = self.handle(Namespace::Host)?.link();
        let mut get = links.get().match_index(far.index);
        let target = match far.place {
            Whereabouts::Host => None,
            Whereabouts::Elsewhere(number) => Some(number),
            Whereabouts::Container | Whereabouts::Unknown => {
                let text = "the link is in a namespace that only the container knows".to_owned();
                return Err(KernelError::NotFound(text));
            }
        };
        if let Some(number) = target {
            let attributes = &mut get.message_mut().attributes;
            attributes.push(LinkAttribute::IfNetnsId(number));
        }
        match self.one_link(get) {
            // `rtnl_get_net_ns_capable`: no namespace has that number.
            Err(error) if target.is_some() && error.errno() == Some(Errno::EINVAL) => {
                let text = "the link's namespace doesn't exist any more".to_owned();
                Err(KernelError::NotFound(text))
            }
            message => {
                let message = message?;
                let mut found = self.identify(Namespace::Host, &message)?;
                if let (Some(tie), Some(_)) = (&mut found.identity.tie, target) {
                    // Without a number, the tie stays within that namespace.
                    if link_netnsid(&message).is_none() {
                        tie.place = far.place;
                    }
                }
                Ok(found)
            }
        }
    }
}

impl Netlink {
    fn identify(
        &self,
        namespace: Namespace,
        message: &LinkMessage,
    ) -> Result<IdentifiedLink, KernelError> {
        let name = link::name(message);
        let has_plain_name = name.is_some();
        let index = message.header.index.to_string();
        let name = name.unwrap_or_else(|| LinkName::chosen("odd", &[&index]));
        let info = link::info_with(message, link::state_with(message, name));
        let device = place::device(message);
        let is_vf = device.is_vf();
        let name = device.name;
        let tie = match place::tie_index(message) {
            Some(index) => Some(FarLink {
                place: self.whereabouts(namespace, link_netnsid(message))?,
                index,
            }),
            None => None,
        };
        let identity = LinkIdentity {
            permanent_mac: info.state.permanent_mac,
            kind: info.kind,
            device: name.map(|name| ParentDevice {
                bus: device.bus,
                name,
            }),
            is_vf,
            tie,
            vlan: vlan(message),
        };
        Ok(IdentifiedLink {
            state: info.state,
            has_plain_name,
            identity,
            alternative_names: alternative_names(message),
        })
    }

    /// Returns the namespace that has a number in another one.
    fn whereabouts(
        &self,
        namespace: Namespace,
        number: Option<i32>,
    ) -> Result<Whereabouts, KernelError> {
        let number = match number {
            Some(number) => number,
            None => {
                return Ok(match namespace {
                    Namespace::Host => Whereabouts::Host,
                    Namespace::Container => Whereabouts::Container,
                });
            }
        };
        if number >= 0 && self.number_of(namespace, Namespace::Host)? == Some(number) {
            return Ok(Whereabouts::Host);
        }
        let has_container = self.container.is_some();
        if number >= 0
            && has_container
            && self.number_of(namespace, Namespace::Container)? == Some(number)
        {
            return Ok(Whereabouts::Container);
        }
        Ok(match namespace {
            Namespace::Host => Whereabouts::Elsewhere(number),
            Namespace::Container => Whereabouts::Unknown,
        })
    }

    /// Returns the number that a namespace has for another one, if any
    /// (RTM_GETNSID).
    fn number_of(&self, seen_from: Namespace, of: Namespace) -> Result<Option<i32>, KernelError> {
        let handle = self.handle(seen_from)?.clone();
        let file = self.netns(of)?.file().as_raw_fd();
        let file = u32::try_from(file).map_err(|_| Errno::EBADF)?;
        let number = self.wait(get_nsid(handle, file))?;
        Ok(number.filter(|number| *number >= 0))
    }
}

async fn get_nsid(handle: Handle, file: u32) -> Result<Option<i32>, rtnetlink::Error> {
    let mut question = NsidMessage::default();
    question.attributes.push(NsidAttribute::Fd(file));
    let answers = exchange::request(handle, RouteNetlinkMessage::GetNsId(question), 0).await?;
    Ok(answers.iter().find_map(|answer| match answer {
        RouteNetlinkMessage::NewNsId(message) => netnsid(message),
        _ => None,
    }))
}

fn netnsid(message: &NsidMessage) -> Option<i32> {
    let mut attributes = message.attributes.iter();
    attributes.find_map(|attribute| match attribute {
        NsidAttribute::Id(number) => Some(*number),
        _ => None,
    })
}

fn link_netnsid(message: &LinkMessage) -> Option<i32> {
    let mut attributes = message.attributes.iter();
    attributes.find_map(|attribute| match attribute {
        LinkAttribute::LinkNetNsId(number) => Some(*number),
        _ => None,
    })
}

fn alternative_names(message: &LinkMessage) -> Vec<String> {
    let properties = message
        .attributes
        .iter()
        .filter_map(|attribute| match attribute {
            LinkAttribute::PropList(properties) => Some(properties),
            _ => None,
        });
    let names = properties.flatten().filter_map(|property| match property {
        Prop::AltIfName(name) => Some(name.clone()),
        _ => None,
    });
    names.collect()
}

fn vlan(message: &LinkMessage) -> Option<u16> {
    link::infos(message).find_map(|info| match info {
        LinkInfo::Data(InfoData::Vlan(data)) => data.iter().find_map(|vlan| match vlan {
            InfoVlan::Id(number) => Some(*number),
            _ => None,
        }),
        _ => None,
    })
}

//! The reasons why the kernel refuses what the user named: what is in the way, and what to
//! do. Each is found when the kernel has refused, so a successful run takes no time for
//! it. This is the one place for these texts.

use kernel::{
    IPV6_MIN_MTU, Kernel, KernelError, LinkId, LinkSetting, NewLink, ParentUse, SurveyedLink,
};
use nix::errno::Errno;
use types::{LinkName, Namespace};

use super::LinkHandle;

/// Returns the error for a name that another link has. Names of new links are checked
/// first, because undoing would delete the link that has the name.
pub(super) fn name_is_taken(
    kernel: &mut dyn Kernel,
    namespace: Namespace,
    name: &LinkName,
) -> KernelError {
    let there = what_is_there(kernel, namespace, name);
    let errno = Errno::EEXIST;
    refused(errno, &format!("{}: {there}", errno.desc()))
}

/// Returns the error for a pair of veth links one of whose names is taken. It begins as
/// netavark's does.
pub(super) fn pair_is_taken(
    kernel: &mut dyn Kernel,
    (container, host): (&LinkName, Option<&LinkName>),
    (namespace, taken): (Namespace, &LinkName),
) -> KernelError {
    let or_host = host.map_or_else(String::new, |host| {
        format!(" or {host} exists on host namespace")
    });
    let there = what_is_there(kernel, namespace, taken);
    let text = format!(
        "create veth pair: interface {container} already exists on container namespace{or_host}: \
         Netlink error: File exists (os error 17); {there}"
    );
    refused(Errno::EEXIST, &text)
}

fn what_is_there(kernel: &mut dyn Kernel, namespace: Namespace, name: &LinkName) -> String {
    let index = kernel.link_by_name(namespace, name).map(|link| link.index);
    let info = index.and_then(|index| kernel.link_info(LinkId { namespace, index }));
    let kind = info.ok().and_then(|info| info.kind);
    let way_out = match namespace {
        Namespace::Container => "let the container have another interface name",
        Namespace::Host => {
            "choose another name (--interface-name, -o parent or host_interface_name), or take \
             that link away"
        }
    };
    let what = a_kind(kind.as_deref());
    format!("{name} is there already in the {namespace}'s namespace, as {what}: {way_out}")
}

/// Adds the reason to an error for a new link on a parent.
pub(super) fn new_link(
    kernel: &mut dyn Kernel,
    link: &NewLink,
    parent: Option<&LinkHandle>,
    error: KernelError,
) -> KernelError {
    let Some(parent) = parent else {
        return error;
    };
    let KernelError::Errno { errno } = error else {
        return error;
    };
    if !matches!(errno, Errno::EBUSY | Errno::EINVAL | Errno::EEXIST) {
        return error;
    }
    match obstacle(kernel, link, parent) {
        Some(why) => refused(errno, &format!("{}: {why}", errno.desc())),
        None => error,
    }
}

/// Returns what is in the way of a new link on a parent.
fn obstacle(kernel: &mut dyn Kernel, new: &NewLink, parent: &LinkHandle) -> Option<String> {
    let links = kernel.tied_links(parent.id.namespace).ok()?;
    let inside = kernel.tied_links(Namespace::Container).unwrap_or_default();
    let at = |index| links.iter().find(|it| it.info.state.index == index);
    let own = at(parent.id.index)?;
    let name = &parent.name;
    let kind = new.kind.name();
    let is_on_parent = |is_elsewhere: bool, it: &&SurveyedLink| {
        it.tie.is_some_and(|tie| {
            tie.index == parent.id.index && tie.elsewhere == is_elsewhere && !tie.is_pair
        })
    };
    let above: Vec<&SurveyedLink> = links
        .iter()
        .filter(|it| is_on_parent(false, it))
        .chain(inside.iter().filter(|it| is_on_parent(true, it)))
        .collect();
    let (wanted_mtu, mtu) = (new.mtu.unwrap_or(0), own.info.state.mtu);
    loopback(own, name, kind)
        .or_else(|| {
            let master = at(own.info.state.master?)?;
            Some(port(name, master, kind))
        })
        .or_else(|| others(&above, name, kind))
        .or_else(|| takes_whole(&above, name, new))
        .or_else(|| (wanted_mtu > mtu).then(|| too_large(name, wanted_mtu, mtu)))
}

fn loopback(own: &SurveyedLink, name: &LinkName, kind: &str) -> Option<String> {
    (own.info.state.name.as_str() == "lo").then(|| {
        format!(
            "{name} leads nowhere, and can't be the parent of a {kind} link: name one of the \
             host's other interfaces (`ip link` lists them)"
        )
    })
}

fn port(name: &LinkName, master: &SurveyedLink, kind: &str) -> String {
    let (whose, what) = (&master.info.state.name, master.info.kind.as_deref());
    format!(
        "{name} is a port of {whose}, {}, which takes all of its frames: name {whose} as the \
         parent of the {kind} link, or take {name} out first (`ip link set {name} nomaster`)",
        a_kind(what)
    )
}

/// Returns the obstacle if links of the other kind lie on a parent.
fn others(above: &[&SurveyedLink], name: &LinkName, kind: &str) -> Option<String> {
    let kinds: &[&str] = match kind {
        "macvlan" | "macvtap" => &["ipvlan", "ipvtap"],
        "ipvlan" => &["macvlan", "macvtap"],
        _ => return None,
    };
    let mut others = above.iter().filter_map(|it| {
        let other = it.info.kind.as_deref()?;
        kinds
            .contains(&other)
            .then_some((&it.info.state.name, other))
    });
    let (link, other) = others.next()?;
    Some(format!(
        "{link} lies on {name} and is of kind {other}: a parent has macvlan links or ipvlan links, \
         so use {other} for this network too, or another parent"
    ))
}

/// Returns the obstacle if a passthru link has a parent, or is to share it.
fn takes_whole(above: &[&SurveyedLink], name: &LinkName, new: &NewLink) -> Option<String> {
    let is_whole = |used: Option<ParentUse>| used == Some(ParentUse::Whole);
    let mut macvlans = above
        .iter()
        .filter(|it| matches!(it.info.kind.as_deref(), Some("macvlan" | "macvtap")));
    if is_whole(new.kind.parent_use()) {
        let link = &macvlans.next()?.info.state.name;
        return Some(format!(
            "{link} lies on {name}, which a passthru link must have alone: use another mode, or \
             another parent"
        ));
    }
    let link = macvlans.find(|it| is_whole(it.info.parent_use))?;
    let link = &link.info.state.name;
    Some(format!(
        "{link} has taken {name} over (mode passthru): use another parent, or stop the container \
         that has it"
    ))
}

fn too_large(name: &LinkName, wanted: u32, mtu: u32) -> String {
    format!(
        "an MTU of {wanted} is above the {mtu} of {name}: give at most that, or raise it there \
         first (`ip link set {name} mtu {wanted}`)"
    )
}

/// Adds the reason to an error for a new IPv6 address.
pub(super) fn new_address(
    kernel: &mut dyn Kernel,
    link: &LinkHandle,
    error: KernelError,
) -> KernelError {
    let KernelError::Errno {
        errno: errno @ (Errno::EACCES | Errno::EINVAL | Errno::ENODEV),
    } = error
    else {
        return error;
    };
    let setting = kernel.link_setting(link.id, LinkSetting::DisableIpv6);
    if setting.is_ok_and(|value| value != "0") {
        // The link lacks it, whoever asks (`addrconf_add_dev`).
        return refused(Errno::EAFNOSUPPORT, &ipv6_is_off(kernel, link));
    }
    match kernel.link_by_id(link.id) {
        Ok(state) if state.mtu < IPV6_MIN_MTU => {
            let text = format!(
                "{}: {} has an MTU of {}, and IPv6 needs {IPV6_MIN_MTU}: give at least that with \
                 -o mtu",
                errno.desc(),
                link.name,
                state.mtu
            );
            refused(errno, &text)
        }
        _ => error,
    }
}

/// The text begins as netavark's, which names the kind of link in the container.
fn ipv6_is_off(kernel: &mut dyn Kernel, link: &LinkHandle) -> String {
    let LinkHandle { id, name } = link;
    let info = kernel.link_info(*id).ok();
    let kind = info.and_then(|info| info.kind);
    let kind = kind.as_deref().unwrap_or("interface");
    let (what, way_out) = match id.namespace {
        Namespace::Container => (
            format!("container {kind}"),
            "start the container with --sysctl net.ipv6.conf.default.disable_ipv6=0",
        ),
        Namespace::Host => (
            kind.to_owned(),
            "turn it on (`sysctl -w net.ipv6.conf.default.disable_ipv6=0`)",
        ),
    };
    format!(
        "add ip addr to {what}: failed to add ipv6 address, is ipv6 enabled in the kernel?: \
         Netlink error: Permission denied (os error 13); IPv6 is off in the {}'s namespace \
         (net.ipv6.conf.{name}.disable_ipv6 is 1): {way_out}, or use a network without IPv6",
        id.namespace
    )
}

/// Returns the help for a link of the host that isn't found.
pub(super) const LIST_LINKS: &str = "; `ip link` lists the links that there are";

fn a_kind(kind: Option<&str>) -> String {
    match kind {
        Some(kind) => format!("a {kind} link"),
        None => "a network card".to_owned(),
    }
}

fn refused(errno: Errno, text: &str) -> KernelError {
    KernelError::Refused {
        errno,
        text: text.to_owned(),
    }
}

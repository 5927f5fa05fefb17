//! What a line of the vocabulary can say.

use super::{Call, KernelFeature, ReachKey};
use crate::Risk;

/// All that is known of a call.
pub(super) struct Facts {
    pub(super) name: &'static str,
    pub(super) risk: Risk,
    pub(super) effect: &'static str,
    pub(super) keys: &'static [ReachKey],
    pub(super) request: &'static [Requested],
    pub(super) naming: Option<Naming>,
    pub(super) needs: &'static [KernelFeature],
    pub(super) in_create: bool,
}

/// What of the request a call can reach (rule 3 of `decide`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Requested {
    /// The link of the host that the user named as the parent; where the user
    /// named none, that of the default route.
    Parent,
    /// The parent only where the user named it.
    NamedParent,
    /// All of the parent, which the user named together with the mode `passthru`.
    WholeParent,
    /// What the parent is found by, where the user named that.
    ParentProperty,
    /// The link of the default route, where no parent is named.
    DefaultRoute,
    /// The MTU of the default route's link, which is only a number.
    DefaultMtu,
    /// A free subnet for the new network.
    NewSubnet,
    /// The VRF of the host that the network's links go below.
    Vrf,
    /// The link of the host that the option `ndp_proxy` names.
    NdpProxy,
    /// Where the user named a VLAN of a link as the parent, as `eth0.10`: that link.
    VlanBase,
    /// The existing bridge of the host that the user named and the run uses.
    UsedBridge,
    /// The same where the user made the network internal.
    UsedInternalBridge,
    /// A VF of the parent that the user named: the one of the option `vf`, or without
    /// the option any.
    Vf,
    /// The VF that the run uses, with the values of the options and the container's
    /// MAC address, and the VF's link on the host.
    UsedVf,
    /// A link that takes ports: the parent that the user named, or that VRF.
    Master,
    /// The names of all links in the container.
    ContainerLinks,
    /// All routes and rules in the container, and any table there.
    ContainerRouting,
    /// VLANs that options name, and that of the parent's name.
    Vlans,
    /// VXLANs that options name.
    Vnis,
    /// The container's addresses there, and the gateways on the host, each with its
    /// prefix length; on the host also the addresses that the option `host_address`
    /// names.
    LinkAddresses,
    /// The container's addresses, whatever their prefix lengths.
    Addresses,
    /// Routes into the subnets, and those of the request.
    Routes,
    /// Rules in the container, and on the host those about its packets or about own
    /// links.
    Rules,
    /// Neighbours with the container's addresses.
    Neighbours,
    /// That the container forwards packets.
    Forwarding,
    /// Settings of own links in the container that options name.
    Settings,
    /// Packets from the container's addresses; from its subnets where the driver has
    /// a link that the network's containers share.
    Sources,
    /// Addresses of the host that options name for what leaves it.
    OutboundAddresses,
    /// Published ports.
    Ports,
    /// Secrets that options name.
    Secrets,
    /// Name servers that the user gave for the network, and its gateways.
    NameServers,
    /// The driver's own state of the network.
    State,
    /// Messages for the operator.
    Messages,
    /// Search domains for the container.
    SearchDomains,
}

/// Which name is meant for a link that a call makes, moves or renames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// In the container the interface's. On the host, one that the host chooses by
    /// the call, the network and the container.
    Interface,
    /// As `Interface`; on the host the user's word for the host's end of a veth pair
    /// comes first.
    HostInterface,
    /// As `Interface`; on the host the parent, where that is the name of a VLAN that
    /// the network's containers share.
    VlanParent,
    /// As `Interface`; on the host the network's own interface.
    Network,
    /// As `Network`; in the container the user's word for a VRF comes first.
    Vrf,
    /// One that the host chooses, also in the container: it stands beside the
    /// interface, whose name the request has.
    BesideInterface,
    /// The interface's, in the container only.
    Moved,
    /// In the container the interface's, on the host the user's word for the host's
    /// end of a veth pair.
    Renamed,
}

impl Call {
    /// The one name that it has everywhere.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// How much there is to lose by granting it without a reach.
    pub const fn risk(self) -> Risk {
        self.facts().risk
    }

    /// What it does to the machine, in plain words.
    pub const fn effect(self) -> &'static str {
        self.facts().effect
    }

    /// The widenings that make sense for it.
    pub const fn reach_keys(self) -> &'static [ReachKey] {
        self.facts().keys
    }

    /// What of the request it reaches.
    pub(crate) const fn request(self) -> &'static [Requested] {
        self.facts().request
    }

    /// Which name is meant for the link that it makes, moves or renames.
    pub(crate) const fn naming(self) -> Option<Naming> {
        self.facts().naming
    }

    /// What it needs of the kernel, beyond what each kernel with a network has.
    pub const fn needs(self) -> &'static [KernelFeature] {
        self.facts().needs
    }

    /// Whether it stands for something that a driver returns, rather than for a
    /// function that it imports: every driver can return it.
    pub fn is_returned(self) -> bool {
        ["create.", "answer."]
            .iter()
            .any(|part| self.name().starts_with(part))
    }

    /// Whether the grant must list it. A message reaches only the operator: the limits of
    /// the run bound it, and the trail has it.
    pub const fn needs_grant(self) -> bool {
        !matches!(self, Self::LogWrite)
    }

    /// Whether it changes nothing outside this run. Only such calls work in
    /// `create`, where there is no container to undo anything for.
    pub fn works_in_create(self) -> bool {
        self.risk() == Risk::Reads || self.facts().in_create || self.is_returned()
    }

    /// What a call makes, as the WIT names it: `bridge`; `None` for calls that
    /// make no link.
    pub fn makes(self) -> Option<&'static str> {
        self.name().strip_prefix("links.create-")
    }

    /// Whether it makes a link that a container can be connected by. An ifb only
    /// carries packets of others, for rates.
    pub fn makes_interface(self) -> bool {
        self.makes().is_some() && self.naming() != Some(Naming::BesideInterface)
    }

    /// The kernel setting that it is for, as the WIT names it: `proxy-arp`.
    pub(crate) fn sets(self) -> Option<&'static str> {
        let function = self.name().strip_prefix("sysctl.")?;
        let mut verbs = ["set-", "enable-"].iter();
        verbs.find_map(|verb| function.strip_prefix(verb))
    }
}

macro_rules! calls {
    ($(
        $(#[$doc:meta])* $variant:ident = $name:literal {
            risk: $risk:ident,
            effect: $effect:literal,
            $(keys: [$($key:ident),*],)?
            $(request: [$($requested:ident),*],)?
            $(name: $naming:ident,)?
            $(needs: [$($need:ident),*],)?
            $(in_create: $in_create:literal,)?
        }
    )*) => {
        /// A function of the interface, named `interface.function`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Call {
            $($(#[$doc])* $variant,)*
        }

        impl Call {
            /// All calls, interface by interface, each in the order of the WIT.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its line.
            const fn facts(self) -> &'static Facts {
                match self {
                    $(Self::$variant => const {
                        &Facts {
                            name: $name,
                            risk: Risk::$risk,
                            effect: $effect,
                            keys: &[$($(ReachKey::$key),*)?],
                            request: &[$($(Requested::$requested),*)?],
                            naming: calls!(@naming $($naming)?),
                            needs: &[$($(KernelFeature::$need),*)?],
                            in_create: false $(|| $in_create)?,
                        }
                    },)*
                }
            }
        }
    };
    (@naming) => { None };
    (@naming $naming:ident) => { Some(Naming::$naming) };
}
pub(super) use calls;

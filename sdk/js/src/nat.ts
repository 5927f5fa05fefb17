/**
 * The connections between a network behind the host and other networks: forwarding, source
 * addresses and published ports.
 */

import { dns } from './calls/dns.js';
import { firewall } from './calls/firewall.js';
import { type Link, links } from './calls/links.js';
import { neighbours } from './calls/neighbours.js';
import { sysctl } from './calls/sysctl.js';
import { DriverError } from './errors.js';
import { find, parseBool, parseIp } from './options.js';
import { alone, isV6, withoutPrefix } from './text.js';
import type { CreateRequest, IpVersion, Network, Port, Request, RequestOption } from './types.js';

// The options that name links of the host.
const NDP_PROXY = 'ndp_proxy';
const PUBLISH_INTERFACE = 'publish_interface';

// The smallest MTU of a link with IPv6 (RFC 8200, section 5), and the largest of a veth link
// (ETH_MAX_MTU).
const IPV6_MIN_MTU = 1280;
const VETH_MAX_MTU = 65535;

/** The parsed options `masquerade`, `outbound_addr4` and `outbound_addr6`. */
export class Nat {
  private readonly outbound4: string | undefined;
  private readonly outbound6: string | undefined;
  private readonly masquerade: boolean;

  /** Parses the options. `masquerade` is the default of the first one. */
  constructor(options: RequestOption[], masquerade: boolean) {
    this.outbound4 = parseIp(options, 'outbound_addr4', 4);
    this.outbound6 = parseIp(options, 'outbound_addr6', 6);
    const isGiven = (this.outbound4 ?? this.outbound6) !== undefined;
    this.masquerade = parseBool(options, 'masquerade') ?? (masquerade || isGiven);
    if (isGiven && !this.masquerade) {
      throw new DriverError(
        'invalid',
        "outbound_addr4 and outbound_addr6 can't be given with masquerade=false, which leaves " +
          'source addresses as they are',
      );
    }
  }

  /**
   * Masquerades the packets that leave the network's subnets, or gives them the outbound
   * addresses. This is for networks whose subnets belong to the driver alone.
   */
  translate(network: Network): void {
    this.translateFrom(subnetsOf(network), network);
  }

  /** Does the same for the packets of one container. */
  translateContainer({ addresses, network }: Request): void {
    this.translateFrom(addresses.map(alone), network);
  }

  private translateFrom(sources: string[], network: Network): void {
    if (!this.masquerade || network.internal) return;
    const subnets = subnetsOf(network);
    for (const source of sources) {
      const outbound = isV6(source) ? this.outbound6 : this.outbound4;
      if (outbound === undefined) firewall.masquerade(source, subnets);
      else firewall.sourceAddress(source, subnets, outbound);
    }
  }
}

function subnetsOf({ subnets }: Network): string[] {
  return subnets.map(({ subnet }) => subnet);
}

/**
 * Has firewalld let the packets of the network's subnets pass, or with `aloneOnly` only those
 * of the container. An internal network without name resolution reaches nothing that firewalld
 * could keep from it.
 */
export function trust({ addresses, network }: Request, aloneOnly: boolean): void {
  if (network.internal && !network.dns) return;
  const sources = aloneOnly ? addresses.map(alone) : subnetsOf(network);
  for (const source of sources) firewall.trust(source);
}

/**
 * Refuses the options `ndp_proxy` and `publish_interface` for an internal network, which nobody
 * reaches.
 */
export function checkOutsideLinks({ network, options }: CreateRequest): void {
  for (const key of [NDP_PROXY, PUBLISH_INTERFACE]) {
    const name = find(options, key);
    if (name !== undefined && network.internal) {
      throw new DriverError(
        'invalid',
        `${key} is not possible with --internal: no other machine reaches the containers of an ` +
          'internal network',
      );
    }
    if (name === '') {
      throw new DriverError('invalid', `${key} needs the name of an interface of the host`);
    }
  }
}

/**
 * Has the link of the host that the option `ndp_proxy` names answer neighbour solicitations for
 * the container's IPv6 addresses (RFC 4389). Machines on that link then reach the container
 * without a route. The host must forward packets.
 */
export function proxyNdp(request: Request): void {
  const name = find(request.options, NDP_PROXY);
  const addresses = request.addresses.filter(isV6);
  if (name === undefined || addresses.length === 0) return;
  const link = links.get('host', name);
  sysctl.setProxyNdp(link, true);
  for (const address of addresses) neighbours.addProxy(link, withoutPrefix(address));
}

/**
 * Publishes the request's ports to the container's first address of each family. The container
 * is behind a link of the host. Internal networks publish nothing, as in netavark. Another
 * network of the container may publish the ports.
 */
export function publish(link: Link, request: Request): void {
  const { addresses, network, options, ports } = request;
  if (ports.length === 0 || network.internal) return;
  for (const v6 of [false, true]) {
    const address = addresses.find((it) => isV6(it) === v6);
    if (address === undefined) continue;
    firewall.publish(link, ports, withoutPrefix(address));
    const isEverywhere = find(options, PUBLISH_INTERFACE) === undefined;
    // This is for connections to 127.0.0.1. The firewall drops packets to it from elsewhere
    // already.
    if (!v6 && isEverywhere && ports.some(isLocal)) sysctl.setRouteLocalnet(link, true);
  }
}

function isLocal({ hostAddress }: Port): boolean {
  return hostAddress == null || !isV6(hostAddress);
}

/**
 * Closes an internal network behind a link of the host. The host itself stays within reach
 * where the network has a gateway, which is the host's address there.
 */
export function closeInternal(link: Link, { internal, subnets }: Network): void {
  if (!internal) return;
  const hasGateway = subnets.some(({ gateway }) => gateway != null);
  firewall.internal(link, hasGateway);
}

/**
 * Turns the host's forwarding on for the families of the container's addresses, unless the
 * network is internal.
 */
export function forward({ addresses, network }: Request): void {
  if (network.internal) return;
  const versions: [IpVersion, boolean][] = [
    ['ipv4', false],
    ['ipv6', true],
  ];
  for (const [version, v6] of versions) {
    if (addresses.some((it) => isV6(it) === v6)) sysctl.enableIpForward('host', version);
  }
}

/**
 * Returns the MTU of new links whose packets the host routes: the user's, or else that of the
 * default route's link, in the table of a VRF if one is given. Without a default route it is
 * the kernel's. A network with IPv6 addresses gets at least the MTU that IPv6 needs.
 */
export function routedMtu(network: Network, vrf?: Link): number | undefined {
  // 0 means the default, as in netavark's drivers.
  if (network.mtu) return network.mtu;
  const least = network.subnets.some(({ subnet }) => isV6(subnet)) ? IPV6_MIN_MTU : 0;
  const found = links.defaultMtu(vrf);
  return found == null ? undefined : Math.min(Math.max(found, least), VETH_MAX_MTU);
}

/**
 * Has the container's names served on a link, if the user wants that. The DNS server listens on
 * the network's gateways, so without one there are no names.
 */
export function serveNames(link: Link, network: Network): void {
  const hasGateway = network.subnets.some(({ gateway }) => gateway != null);
  if (network.dns && hasGateway) dns.register(link);
}

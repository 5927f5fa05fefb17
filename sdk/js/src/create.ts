/** Steps of `create` that several drivers have. */

import { addresses } from './calls/addresses.js';
import { links } from './calls/links.js';
import { DriverError, isError } from './errors.js';
import { find } from './options.js';
import { isV6 } from './text.js';
import type { CreateRequest, IpVersion, Network, NetworkChange, RequestOption } from './types.js';

/**
 * The treatment of a network without subnets and without an ipam driver: it is refused,
 * because a container without an address would be a surprise; it gets the ipam driver
 * `none`; or a DHCP server chooses the addresses.
 */
export type WithoutSubnets = 'refuse' | 'no-addresses' | 'dhcp';

/** Checks the ipam driver, and returns the change that sets it if there is none. */
export function chooseIpam(
  network: Network,
  withoutSubnets: WithoutSubnets,
): NetworkChange | undefined {
  const { driver, subnets } = network;
  const name = network.ipamDriver ?? '';
  if (name === 'none') return undefined;
  if (name === 'dhcp' && withoutSubnets === 'dhcp') {
    checkDhcp(network);
    return undefined;
  }
  if (name === 'dhcp') {
    throw new DriverError(
      'unsupported',
      `ipam driver dhcp is not supported with ${driver}: give --subnet, or --ipam-driver none ` +
        'for a network without addresses',
    );
  }
  if (name !== '' && name !== 'host-local') {
    throw new DriverError('unsupported', `Unsupported ipam driver: ${name}`);
  }
  if (subnets.length > 0) return name === '' ? ipam('host-local') : undefined;
  if (name !== '') {
    throw new DriverError(
      'invalid',
      `${driver} driver needs at least one subnet specified when the host-local ipam driver is ` +
        'set',
    );
  }
  return ipamWithoutSubnets(network, withoutSubnets);
}

function ipamWithoutSubnets(network: Network, treatment: WithoutSubnets): NetworkChange {
  if (treatment === 'no-addresses') return ipam('none');
  if (treatment === 'dhcp') {
    checkDhcp(network);
    return ipam('dhcp');
  }
  throw new DriverError(
    'invalid',
    `${network.driver} driver needs a subnet, because it has no dhcp: give --subnet, or ` +
      '--ipam-driver none for a network without addresses',
  );
}

function ipam(driver: string): NetworkChange {
  return { tag: 'ipam-driver', val: driver };
}

/**
 * Returns whether a network has no addresses, with the ipam driver that was chosen.
 * netavark then turns name resolution off, and so must a driver.
 */
export function hasNoAddresses(network: Network, chosen: NetworkChange | undefined): boolean {
  const driver = chosen?.tag === 'ipam-driver' ? chosen.val : network.ipamDriver;
  return driver === 'none';
}

/**
 * Has the host allocate the subnets that a network lacks, as Podman does for its own bridge
 * networks: an IPv4 one if the user gave none, and with `--ipv6` one of each version.
 * Otherwise it does the same as {@link chooseIpam}. With `withGateway` these subnets have a
 * gateway in internal networks, too.
 */
export function allocateSubnets(network: Network, withGateway: boolean): NetworkChange | undefined {
  const name = network.ipamDriver ?? '';
  if (name !== '' && name !== 'host-local') return chooseIpam(network, 'refuse');
  for (const version of lacking(network)) addresses.allocateSubnet(version, withGateway);
  return name === '' ? ipam('host-local') : undefined;
}

function lacking({ subnets, ipv6 }: Network): IpVersion[] {
  const has = (v6: boolean) => subnets.some(({ subnet }) => isV6(subnet) === v6);
  const needsV4 = subnets.length === 0 || ipv6;
  const versions: IpVersion[] = needsV4 && !has(false) ? ['ipv4'] : [];
  return ipv6 && !has(true) ? [...versions, 'ipv6'] : versions;
}

/** Checks the options of a network whose addresses a DHCP server chooses. */
export function checkDhcp(network: Network): void {
  if (network.subnets.length > 0) {
    throw new DriverError('invalid', 'ipam driver dhcp set but subnets are set');
  }
  const fixed: [string, boolean][] = [
    ['no_default_route', network.noDefaultRoute],
    ['metric', network.metric != null],
  ];
  for (const [option, isSet] of fixed) {
    if (!isSet) continue;
    throw new DriverError(
      'invalid',
      `the option ${option} has no effect with ipam driver dhcp: netavark's DHCP proxy adds the ` +
        'default route itself, with the metric 100',
    );
  }
}

/**
 * Checks the ipam driver at `setup`. A network that was written by hand hasn't been through
 * `create`.
 */
export function checkIpam({ ipamDriver }: Network): void {
  if (['', 'host-local', 'none'].includes(ipamDriver ?? '')) return;
  throw new DriverError('unsupported', `unsupported ipam driver ${ipamDriver}`);
}

/** Returns the changes of a network whose containers have links on a parent. */
export function changesOnParent(
  request: CreateRequest,
  withoutSubnets: WithoutSubnets,
): NetworkChange[] {
  const chosen = chooseIpam(request.network, withoutSubnets);
  const moved = moveParentOption(request.options);
  return [...moved, ...(chosen ? [chosen] : []), noNames()];
}

/**
 * Returns the change that turns name resolution off. Such a network has no gateway on the
 * host on which a DNS server could listen.
 */
export function noNames(): NetworkChange {
  return { tag: 'dns-enabled', val: false };
}

/** Checks that the user's parent exists. */
export function checkParent({ parent }: Network): void {
  if (parent == null) return;
  try {
    links.get('host', parent);
  } catch (error) {
    if (!isError(error, 'not-found')) throw error;
    throw new DriverError('not-found', `parent interface ${parent} does not exist`);
  }
}

/**
 * Returns the changes that turn the option `parent` into the network's interface. Podman does
 * this only for its own drivers.
 */
export function moveParentOption(options: RequestOption[]): NetworkChange[] {
  const parent = find(options, 'parent');
  if (parent == null) return [];
  const remove: NetworkChange = { tag: 'remove-option', val: 'parent' };
  return parent === '' ? [remove] : [{ tag: 'network-interface', val: parent }, remove];
}

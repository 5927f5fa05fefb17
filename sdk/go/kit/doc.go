// Package kit has what drivers share: options, ipam drivers, parents, addresses and routes,
// DHCP, duplicate address detection, NAT, filters, and behaviours as rates and tuning.
package kit

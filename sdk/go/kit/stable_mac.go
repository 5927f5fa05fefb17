package kit

import (
	"hash/fnv"
	"net"

	"github.com/wasmvark/wasmvark/sdk/go/types"
)

// StableMac returns a fixed MAC address for a link of the host that the network's containers
// share, a digest of the ids. The container's is random, and the network's tells the links of one
// container apart. The kernel's own choice for a bridge changes with the ports. Neighbours that
// have the old one can't reach the bridge for a while (containers/netavark#843).
func StableMac(request types.Request) string {
	digest := fnv.New64a()
	digest.Write([]byte(request.Network.Id + "\x00" + request.ContainerId))
	// 02 marks a locally administered address.
	mac := append([]byte{2}, digest.Sum(nil)[3:]...)
	return net.HardwareAddr(mac).String()
}

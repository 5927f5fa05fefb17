# Starts a machine: the init of namespaces of its own, on a throw-away layer above a tree of
# scripts/podman-tree.sh. Prints its process id, then waits for its standard input to end; everything that was
# started in the machine ends with it, and what was written lies in memory only.
#
# pivot_root and not chroot: a chrooted process may not make user namespaces, as rootless Podman does.
#
# usage: unshare --mount --pid --fork --net ... bash -c SCRIPT boot TREE WORK
set -eu
tree=$1 work=$2
# This /proc is still the one outside.
read -r pid _ </proc/self/stat

mkdir -p "$work"
mount -t tmpfs -o mode=755 none "$work"
mkdir "$work/upper" "$work/overlay" "$work/root"
mount -t overlay -o "lowerdir=$tree,upperdir=$work/upper,workdir=$work/overlay" none "$work/root"
cd "$work/root"

mount -t proc none proc
mount -t sysfs none sys
mount -t cgroup2 -o ro none sys/fs/cgroup
mount -t tmpfs -o mode=755 none dev
mkdir dev/net dev/pts dev/shm
while read -r node mode major minor; do
    mknod -m "$mode" "dev/$node" c "$major" "$minor"
done <<NODES
full 666 1 7
fuse 666 10 229
net/tun 666 10 200
null 666 1 3
random 666 1 8
tty 666 5 0
urandom 666 1 9
zero 666 1 5
NODES
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mount -t devpts -o newinstance,ptmxmode=0666 none dev/pts
mount -t tmpfs -o mode=1777 none dev/shm
mount -t tmpfs -o mode=1777 none tmp
mount -t tmpfs -o mode=755 none run
mkdir -p run/lock run/user/1000
chown 1000:1000 run/user/1000
chmod 700 run/user/1000
# An overlay can't be the upper layer of Podman's own.
mkdir -p var/lib/containers
mount -t tmpfs -o mode=711 none var/lib/containers
mount -t tmpfs -o mode=700,uid=1000,gid=1000 none home/user

mkdir .old
pivot_root . .old
cd /
umount -l /.old
rmdir /.old
mount --make-rshared /
ip link set lo up

echo "$pid"
# Bash waits for the orphans that an init inherits.
exec env -i bash -c 'while read -r _; do :; done'

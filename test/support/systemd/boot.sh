#!/bin/sh
# Boots this machine's systemd as the first process of new namespaces: processes, mounts, network, host name.
# Its file system is this machine's, below one in memory that takes all changes. `boot.sh FOLDER PROJECT`:
# an empty folder, and one that is /opt/pulp-streamer inside, read-only. Prints the id of the first process, as
# seen from outside. Ends, and leaves nothing behind, when standard input is closed.
set -e
if [ "$3" != inside ]; then
  [ "$3" = alone ] || exec unshare --mount --propagation private "$0" "$1" "$2" alone
  mount -t tmpfs none "$1"
  mkdir "$1/cgroup"
  mount -t cgroup2 none "$1/cgroup"
  group="$1/cgroup/pulp-streamer-$$"
  mkdir "$group"
  unshare --mount --pid --net --uts --ipc --fork --kill-child "$0" "$1" "$2" inside "$group" </dev/null &
  machine=$!
  until [ -e "$1/begun" ] || ! kill -0 $machine 2>/dev/null; do sleep 0.02; done
  # Until the test closes it, or ends in any way.
  cat >/dev/null
  kill -KILL $machine 2>/dev/null || true
  wait $machine || true
  # The group is left once the last process is gone.
  until ! grep -q 'populated 1' "$group/cgroup.events"; do sleep 0.05; done
  find "$group" -depth -type d -exec rmdir {} +
  exit
fi

read -r pid _ </proc/self/stat
echo 0 >"$4/cgroup.procs"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
# Settings of the kernel stay as they are. Those of the network are the namespace's own.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
unshare --cgroup mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 none dev
for device in null zero full random urandom tty; do
  touch dev/$device
  mount --bind /dev/$device dev/$device
done
mkdir dev/shm dev/pts
mount -t tmpfs none dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 none dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=755 none run
mount -t tmpfs -o mode=1777 none tmp
mkdir -p opt/pulp-streamer
mount --bind -o ro "$2" opt/pulp-streamer
# Nothing of this machine is started but its journal.
find etc/systemd/system usr/lib/systemd/system -name '*.wants' -prune -exec rm -r {} +
rm -rf var/log/journal
: >etc/fstab
mkdir etc/systemd/system/basic.target.wants
ln -s /usr/lib/systemd/system/systemd-journald.service etc/systemd/system/basic.target.wants
echo "$pid"
touch "$1/begun"
# A changed root instead of another one: nothing in a chroot may make user namespaces (PrivateUsers=).
mkdir outside
pivot_root . outside
umount -l outside
rmdir outside
# As systemd expects of containers: credentials are mounted from other namespaces.
mount --make-rshared /
exec unshare --cgroup env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --unit=basic.target --show-status=no >&2

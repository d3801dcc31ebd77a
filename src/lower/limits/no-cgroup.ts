/** Messages where cgroup v2 is not to be seen. The host may have it all the same: mount namespaces differ. */
export const noCgroup2 = 'no cgroup v2 is mounted at /sys/fs/cgroup';

/** `ip netns exec` mounts a new sysfs, over what the host has there (ip-netns(8)). */
export const noCgroup2Hint =
  'mount -t cgroup2 cgroup2 /sys/fs/cgroup; in place of `ip netns exec NAME`, which hides the host’s, use nsenter --net=/run/netns/NAME';

import t from 'tap';
import { sysctlPath } from '../../../../src/linux/sysctl.ts';

t.test('the first separator of a kernel parameter separates its path', async (t) => {
  const paths = {
    'net.ipv4.ip_forward': 'net/ipv4/ip_forward',
    'net/ipv4/ip_forward': 'net/ipv4/ip_forward',
    'net.ipv4.conf.eth0/1.mtu': 'net/ipv4/conf/eth0.1/mtu',
    'net/ipv4/conf/eth0.1/mtu': 'net/ipv4/conf/eth0.1/mtu',
  };
  t.strictSame(Object.fromEntries(Object.keys(paths).map((key) => [key, sysctlPath(key)])), paths);
});

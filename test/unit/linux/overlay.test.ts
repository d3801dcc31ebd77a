import t from 'tap';
import { layersOfLowerdir } from '../../../src/linux/overlay.ts';

t.test('the layers of lowerdir', async (t) => {
  t.same(layersOfLowerdir('/a'), { lower: ['/a'], data: [] });
  t.same(layersOfLowerdir('/a:/b'), { lower: ['/a', '/b'], data: [] });
  t.same(layersOfLowerdir('/a:/b::/c::/d'), { lower: ['/a', '/b'], data: ['/c', '/d'] }, 'data-only layers');
  t.same(layersOfLowerdir('/with\\:colon:/with\\,comma'), { lower: ['/with:colon', '/with,comma'], data: [] });
});

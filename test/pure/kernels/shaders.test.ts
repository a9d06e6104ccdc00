import { describe, expect, it } from 'vitest';
import { pooledBytes } from '../../../kernels/gpu/buffers.ts';
import { packRecords } from '../../../kernels/gpu/index.ts';
import { expand } from '../../../scripts/lib/shaders.mjs';

const sources = new Map([
  ['a/main.wgsl', '// include: b.wgsl\n// include: c.wgsl\nmain'],
  ['b.wgsl', '// include: c.wgsl\nb'],
  ['c.wgsl', 'c\n// a comment on include: d.wgsl'],
  ['lost.wgsl', '// include: nowhere.wgsl'],
]);

describe('a shader', () => {
  it('gets each file that it includes once, before what needs it', () => {
    const text = expand('a/main.wgsl', sources);
    expect(text.split('\n').filter((line) => line.length === 1 || line === 'main')).toEqual(['c', 'b', 'main']);
  });

  it('is refused with the name of a file that is not there', () => {
    expect(() => expand('lost.wgsl', sources)).toThrow('There is no shader kernels/nowhere.wgsl.');
  });
});

describe('records for a shader', () => {
  it('are words, little-endian, one structure after the other', () => {
    const bytes = new DataView(
      packRecords([
        [{ u32: 0xffffffff }, { f32: 0.5 }],
        [{ u32: 7 }, { f32: -1 }],
      ]),
    );
    expect(bytes.byteLength).toBe(16);
    expect([bytes.getUint32(0, true), bytes.getFloat32(4, true)]).toEqual([0xffffffff, 0.5]);
    expect([bytes.getUint32(8, true), bytes.getFloat32(12, true)]).toEqual([7, -1]);
  });

  it('are as far apart as dynamic offsets want them', () => {
    const bytes = new DataView(packRecords([[{ u32: 1 }], [{ u32: 2 }]], 256));
    expect([bytes.byteLength, bytes.getUint32(256, true)]).toEqual([512, 2]);
  });
});

describe('the pool of buffers', () => {
  it('rounds sizes up to powers of two as long as the device allows them', () => {
    expect([1, 256, 257, 5000].map((bytes) => pooledBytes(bytes, 8192))).toEqual([256, 256, 512, 8192]);
    expect([4097, 6000].map((bytes) => pooledBytes(bytes, 6000))).toEqual([4100, 6000]);
  });
});

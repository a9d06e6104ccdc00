import { describe, expect, it } from 'vitest';
import { bracketed, workerdConfig, type WorkerdOptions } from '../../../client/cli/serve/workerd-config.ts';

function setup(more: Partial<WorkerdOptions> = {}): string {
  return workerdConfig({
    manifest: {
      compatibility_date: '2026-01-02',
      compatibility_flags: [],
      main: 'index.js',
      modules: ['abc-kernels.wasm', 'index.js'],
      durable_objects: [{ binding: 'BROKER', class_name: 'Broker' }],
    },
    edge: '/app/dist/edge',
    pages: '/app/dist/pages',
    assetsWorker: '/app/dist/node/assets.js',
    objects: '/state/do',
    blobSocket: '/state/blobs.sock',
    variables: ['TABGRID_SECRET'],
    host: '127.0.0.1',
    port: 8787,
    tls: null,
    configPath: '/state/workerd.capnp',
    ...more,
  });
}

describe('the configuration of workerd', () => {
  it('names the main module first and embeds the others by their kinds', () => {
    const main = setup().indexOf('(name = "index.js", esModule = embed "../app/dist/edge/index.js")');
    const wasm = setup().indexOf('(name = "abc-kernels.wasm", wasm = embed "../app/dist/edge/abc-kernels.wasm")');
    expect(main).toBeGreaterThan(0);
    expect(wasm).toBeGreaterThan(main);
  });

  it('keeps the key that names an object’s folder on disk', () => {
    expect(setup()).toContain('(className = "Broker", uniqueKey = "tabgrid-Broker", enableSql = true)');
  });

  it('takes secrets from the environment', () => {
    expect(setup()).toContain('(name = "TABGRID_SECRET", fromEnvironment = "TABGRID_SECRET")');
  });

  it('speaks TLS with the files that it is given', () => {
    const config = setup({ tls: { certificate: '/certs/lab.pem', key: '/certs/lab.key' } });
    expect(config).toContain('privateKey = embed "../certs/lab.key", certificateChain = embed "../certs/lab.pem"');
  });

  it('escapes what a folder’s name may hold', () => {
    expect(setup({ pages: '/a "b"\\c\n' })).toContain(String.raw`disk = (path = "/a \"b\"\\c\x0a")`);
  });
});

describe('an address before a port', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '[::1]'],
    ['lab.example', 'lab.example'],
  ])('writes %s as %s', (host, written) => expect(bracketed(host)).toBe(written));
});

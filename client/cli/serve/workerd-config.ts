import { dirname, extname, join, relative } from 'node:path';
import type { EdgeManifest } from './manifest.ts';

export interface WorkerdOptions {
  readonly manifest: EdgeManifest;
  /** Folder of the edge bundle. */
  readonly edge: string;
  /** Folder of the pages. */
  readonly pages: string;
  /** The bundled Worker that serves the pages, as a file. */
  readonly assetsWorker: string;
  /** Folder of the objects’ databases. */
  readonly objects: string;
  /** Unix socket of the file service. */
  readonly blobSocket: string;
  /** Bindings whose values workerd takes from its environment, so that no secret stands in the file. */
  readonly variables: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly certificate: string; readonly key: string } | null;
  /** Where the configuration will lie: it embeds files by relative names. */
  readonly configPath: string;
}

/** The constant’s name in the configuration, and the name of its socket. */
export const workerdNames = { constant: 'config', socket: 'http' } as const;

/**
 * The configuration of workerd (workerd.capnp in npm’s `workerd`) that has the bindings of wrangler.toml: the edge bundle, its objects on
 * disk, pages as `ASSETS`, the file service as `BLOBS`.
 */
export function workerdConfig(options: WorkerdOptions): string {
  const { manifest } = options;
  const embed = (path: string): string => `embed ${text(relative(dirname(options.configPath), path))}`;
  const modules = [manifest.main, ...manifest.modules.filter((name) => name !== manifest.main)].map(
    (name) => `(name = ${text(name)}, ${moduleKind(name)} = ${embed(join(options.edge, name))})`,
  );
  const bindings = [
    ...manifest.durable_objects.map(
      ({ binding, class_name }) => `(name = ${text(binding)}, durableObjectNamespace = ${text(class_name)})`,
    ),
    '(name = "ASSETS", service = "assets")',
    '(name = "BLOBS", service = "blobs")',
    ...options.variables.map((name) => `(name = ${text(name)}, fromEnvironment = ${text(name)})`),
  ];
  // The key names a class’s folder and enters every object’s id: it must never change.
  const namespaces = manifest.durable_objects.map(
    ({ class_name }) =>
      `(className = ${text(class_name)}, uniqueKey = ${text(`tabgrid-${class_name}`)}, enableSql = true)`,
  );
  const compatibility = [
    `compatibilityDate = ${text(manifest.compatibility_date)}`,
    `compatibilityFlags = ${list(manifest.compatibility_flags.map(text))}`,
  ];
  const tls = options.tls;
  const listener =
    tls === null
      ? 'http = ()'
      : `https = (options = (), tlsOptions = (keypair = (privateKey = ${embed(tls.key)}, certificateChain = ${embed(tls.certificate)})))`;

  return `using Workerd = import "/workerd/workerd.capnp";

const ${workerdNames.constant} :Workerd.Config = (
  services = [
    (name = "edge", worker = (
      modules = ${list(modules, 6)},
      ${compatibility.join(',\n      ')},
      bindings = ${list(bindings, 6)},
      durableObjectNamespaces = ${list(namespaces, 6)},
      durableObjectStorage = (localDisk = "objects")
    )),
    (name = "assets", worker = (
      modules = [(name = "assets.js", esModule = ${embed(options.assetsWorker)})],
      ${compatibility.join(',\n      ')},
      bindings = [(name = "PAGES", service = "pages")]
    )),
    (name = "pages", disk = (path = ${text(options.pages)})),
    (name = "objects", disk = (path = ${text(options.objects)}, writable = true)),
    (name = "blobs", external = (address = ${text(`unix:${options.blobSocket}`)}, http = ()))
  ],
  sockets = [
    (name = ${text(workerdNames.socket)}, address = ${text(`${bracketed(options.host)}:${options.port}`)}, ${listener}, service = "edge")
  ]
);
`;
}

function moduleKind(name: string): 'esModule' | 'wasm' {
  return extname(name) === '.wasm' ? 'wasm' : 'esModule';
}

function list(items: readonly string[], indent = 0): string {
  if (items.length === 0 || indent === 0) return `[${items.join(', ')}]`;
  const line = `\n${' '.repeat(indent + 2)}`;
  return `[${line}${items.join(`,${line}`)}\n${' '.repeat(indent)}]`;
}

/** A text literal of Cap’n Proto: C’s escapes. */
function text(value: string): string {
  const escaped = value
    .replace(/[\\"]/g, '\\$&')
    // eslint-disable-next-line no-control-regex -- control characters are what is escaped
    .replace(/[\u0000-\u001f\u007f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `"${escaped}"`;
}

/** An IPv6 address in brackets, as it stands before a port. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

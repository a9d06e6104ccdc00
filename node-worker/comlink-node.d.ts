/** comlink ships its adapter for Node’s worker threads as a module, but declares it under another name. */
declare module 'comlink/dist/esm/node-adapter.mjs' {
  // eslint-disable-next-line no-restricted-exports -- it is how comlink exports it
  export { default } from 'comlink/dist/esm/node-adapter';
}

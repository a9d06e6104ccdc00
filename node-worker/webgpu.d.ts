// The package is optional: types must not depend on whether it is there.
declare module 'webgpu' {
  /** @param options Dawn's, such as `backend=vulkan` */
  export function create(options: readonly string[]): GPU;
}

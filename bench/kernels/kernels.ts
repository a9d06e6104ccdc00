/** What every group of cases is given. */
export interface Kernels {
  readonly module: WebAssembly.Module;
  readonly quick: boolean;
  /** Whether a case was asked for. */
  readonly wants: (name: string) => boolean;
}

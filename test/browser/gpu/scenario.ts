/** Something that is done with a GPU in Node, in a page or in a Web Worker; what it gives is plain data. */
export type Scenario = (gpu: GPU | undefined, kernels: WebAssembly.Module) => Promise<object>;

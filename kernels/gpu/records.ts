/** One member of a WGSL structure of 32-bit scalars. */
export type Word = { readonly u32: number } | { readonly f32: number };

/**
 * Packs structures of scalars, one after the other, `strideBytes` apart (by default without a gap): the layout that WGSL gives to
 * an array of structures of u32, i32 and f32. Records that a dispatch selects by a dynamic offset want a stride of 256.
 */
export function packRecords(records: readonly (readonly Word[])[], strideBytes?: number): ArrayBuffer {
  const stride = strideBytes ?? 4 * (records[0]?.length ?? 0);
  const view = new DataView(new ArrayBuffer(stride * records.length));
  records.forEach((words, index) => {
    words.forEach((word, place) => {
      const offset = index * stride + 4 * place;
      if ('u32' in word) view.setUint32(offset, word.u32, true);
      else view.setFloat32(offset, word.f32, true);
    });
  });
  return view.buffer;
}

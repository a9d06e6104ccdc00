declare module '*.md?raw' {
  const text: string;
  // eslint-disable-next-line no-restricted-exports -- how Vite gives a file’s text
  export default text;
}

interface ImportMeta {
  /** Vite’s: the modules of files that match. */
  glob<Module>(pattern: string, options: { eager: true; import: 'default' }): Record<string, Module>;
}

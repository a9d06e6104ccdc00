declare module '*.md?raw' {
  const text: string;
  // eslint-disable-next-line no-restricted-exports -- how Vite gives a file’s text
  export default text;
}

/** Where drivers, loaders and the display are found; no more, because tokens are in the environment too. */
const visible =
  /^(PATH|HOME|USER|TMPDIR|TEMP|TMP|SYSTEMROOT|WINDIR|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|LD_LIBRARY_PATH|DRI_PRIME|(DYLD|XDG|VK|MESA|LIBGL|CUDA|NVIDIA|__NV|__GLX|AMD|RADV|DAWN)_\w+)$/i;

/** The environment of a process that uses a GPU. */
export function gpuEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => visible.test(name)));
}

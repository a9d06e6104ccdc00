import { startServe } from './serve/serve.ts';
const s = await startServe({
  port: Number(process.env.PORT ?? 8799),
  host: '127.0.0.1',
  state: process.env.STATE ?? '/tmp/tgstate',
  environment: {},
  onNotice: (m) => console.log(m),
});
console.log(s.url, s.edgePid());
process.on('SIGINT', () => {
  console.time('stop');
  void s.stop().then(() => console.timeEnd('stop'));
});

import { DurableObject } from 'cloudflare:workers';
import type { Env } from '../env.ts';

export class Broker extends DurableObject<Env> {}

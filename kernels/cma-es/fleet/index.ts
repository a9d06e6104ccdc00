export { createFleet } from './fleet.ts';
export { F32_FLOORS, FLEET_LIMITS } from './contract.ts';
export type { CmaFleet, FleetObjective, FleetOptions, FleetResult, FleetRun } from './contract.ts';
export { STEP_GENERATIONS } from './layout.ts';

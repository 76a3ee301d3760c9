export { type Broken, brokenBy, checkFlow, type Given, type OperatorUnderTest } from './check-flow.ts';
export { LAWS, type Law } from './laws.ts';
export { type FlowMarbles, flowMarbles } from './marbles.ts';
export { LENT, type Lent, type Misbehaving, misbehaving } from './misbehaving.ts';
export { type Plan, plansFrom, type Step } from './plan.ts';

// The 24 noiseless functions of BBOB with COCO's instances. Definitions: INRIA RR-6829; instances: the suite "bbob" of
// numbbo/coco, whose programs differ from the report in a few places (f4's optimum, f24's rotation), and whose values count.
export { bbobBuiltin } from './builtin.as';
import { addPeaks, gallagher } from './gallagher.as';
import {
  griewankRosenbrock,
  katsuura,
  lunacekBiRastrigin,
  rotatedRastrigin,
  schaffers,
  schwefel,
  weierstrass,
} from './multimodal.as';
import { Problem, build } from './problem.as';
import { bucheRastrigin, ellipsoid, linearSlope, rastrigin, sphere } from './separable.as';
import {
  attractiveSector,
  bentCigar,
  differentPowers,
  discus,
  rosenbrock,
  rotatedEllipsoid,
  rotatedRosenbrock,
  sharpRidge,
  stepEllipsoid,
} from './unimodal.as';

/** Value above f_opt. */
function excess(problem: Problem, x: usize): f64 {
  switch (problem.id) {
    case 1:
      return sphere(problem, x);
    case 2:
      return ellipsoid(problem, x);
    case 3:
      return rastrigin(problem, x);
    case 4:
      return bucheRastrigin(problem, x);
    case 5:
      return linearSlope(problem, x);
    case 6:
      return attractiveSector(problem, x);
    case 7:
      return stepEllipsoid(problem, x);
    case 8:
      return rosenbrock(problem, x);
    case 9:
      return rotatedRosenbrock(problem, x);
    case 10:
      return rotatedEllipsoid(problem, x);
    case 11:
      return discus(problem, x);
    case 12:
      return bentCigar(problem, x);
    case 13:
      return sharpRidge(problem, x);
    case 14:
      return differentPowers(problem, x);
    case 15:
      return rotatedRastrigin(problem, x);
    case 16:
      return weierstrass(problem, x);
    case 17:
    case 18:
      return schaffers(problem, x);
    case 19:
      return griewankRosenbrock(problem, x);
    case 20:
      return schwefel(problem, x);
    case 21:
    case 22:
      return gallagher(problem, x);
    case 23:
      return katsuura(problem, x);
    default:
      return lunacekBiRastrigin(problem, x);
  }
}

/** Function 1 … 24, instance from 1, d from 2; checked by the caller. */
export function bbobNew(id: i32, instance: i32, d: i32): usize {
  const problem = build(id, instance, d);
  if (id == 21) addPeaks(problem, 101);
  if (id == 22) addPeaks(problem, 21);
  return changetype<usize>(problem);
}

export function bbobFopt(pointer: usize): f64 {
  return changetype<Problem>(pointer).fopt;
}

/** Address of x_opt, d doubles. */
export function bbobXopt(pointer: usize): usize {
  return changetype<Problem>(pointer).xopt;
}

/** Values of `rows` points of d doubles at `x`, to `out`. A point with a NaN has the value NaN. */
export function bbobEvaluate(pointer: usize, x: usize, rows: i32, out: usize): void {
  const problem = changetype<Problem>(pointer);
  const length = (<usize>problem.d) << 3;
  for (let row = 0; row < rows; row++) {
    const point = x + <usize>row * length;
    let sum = 0.0;
    for (let i: usize = 0; i < length; i += 8) sum += Math.abs(load<f64>(point + i));
    store<f64>(out + ((<usize>row) << 3), sum == sum ? excess(problem, point) + problem.fopt : NaN);
  }
}

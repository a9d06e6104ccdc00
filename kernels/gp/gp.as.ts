import { differentiate, leaveOneOut } from './gradient.as';
import { drawSample, factorPosterior, posterior, predict } from './predict.as';
import { Process, condition, fillCovariance, newProcess } from './process.as';

export function gpNew(rows: i32, dimension: i32, kind: i32, training: i32): usize {
  return changetype<usize>(newProcess(rows, dimension, kind, training != 0));
}
export function gpInputs(process: usize): usize {
  return changetype<Process>(process).inputs;
}
export function gpTargets(process: usize): usize {
  return changetype<Process>(process).targets;
}
export function gpParameters(process: usize): usize {
  return changetype<Process>(process).parameters;
}
export function gpGradient(process: usize): usize {
  return changetype<Process>(process).gradient;
}
export function gpMean(process: usize): f64 {
  return changetype<Process>(process).mean;
}
export function gpLikelihood(process: usize): f64 {
  return changetype<Process>(process).likelihood;
}
export function gpCovariance(process: usize): void {
  fillCovariance(changetype<Process>(process));
}
export function gpCondition(process: usize, fitMean: i32, jitter: f64): i32 {
  return condition(changetype<Process>(process), fitMean != 0, jitter);
}
export function gpDifferentiate(process: usize): void {
  differentiate(changetype<Process>(process));
}
export function gpLeaveOneOut(process: usize, mean: usize, variance: usize): void {
  leaveOneOut(changetype<Process>(process), mean, variance);
}
export function gpPredict(process: usize, x: usize, count: i32, v: usize, mean: usize, variance: usize): void {
  predict(changetype<Process>(process), x, count, v, mean, variance);
}
export function gpPosterior(process: usize, x: usize, count: i32, v: usize, z: usize, mean: usize, covariance: usize): void {
  posterior(changetype<Process>(process), x, count, v, z, mean, covariance);
}
export function gpFactorPosterior(covariance: usize, count: i32, jitter: f64, factor: usize): i32 {
  return factorPosterior(covariance, count, jitter, factor);
}
export function gpSample(factor: usize, count: i32, mean: usize, z: usize, out: usize): void {
  drawSample(factor, count, mean, z, out);
}

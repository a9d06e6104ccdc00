import { GAUSSIAN_NLL, LOG_LOSS, Network } from './network.as';

/** Log-variances are held within ±16. */
export const MAX_LOG_VARIANCE: f64 = 16.0;

/** Offset in bytes of row 0 in a column of panels with `rows` rows; the next row is 32 bytes on. */
function columnOffset(column: i32, rows: i32): usize {
  return ((<usize>(column >> 3) * <usize>rows) << 5) + ((<usize>(column & 7)) << 2);
}

/** Σ ½·(ŷ − y)², and δ = scale·(ŷ − y). */
function squaredError(network: Network, rows: i32, count: i32, scale: f32): f64 {
  const layer = network.last();
  let sum = 0.0;
  for (let column = 0; column < layer.outputs; column++) {
    let offset = columnOffset(column, rows);
    for (let i = 0; i < count; i++, offset += 32) {
      const error = load<f32>(layer.panels + offset) - load<f32>(network.targetPanels + offset);
      sum += <f64>error * <f64>error;
      store<f32>(layer.deltaPanels + offset, scale * error);
    }
  }
  return 0.5 * sum;
}

/**
 * Σ ½·(s + (μ − y)²·e⁻ˢ), and δ of μ and s, both times e^(β·s) = σ²ᵝ, which is not differentiated. Beyond the bounds of s its δ
 * counts only where it leads back.
 */
function gaussianNll(network: Network, rows: i32, count: i32, scale: f64): f64 {
  const layer = network.last();
  const targets = network.targets();
  const beta = network.beta;
  let sum = 0.0;
  for (let k = 0; k < targets; k++) {
    let place = columnOffset(k, rows);
    let logPlace = columnOffset(targets + k, rows);
    for (let i = 0; i < count; i++, place += 32, logPlace += 32) {
      const error = <f64>load<f32>(layer.panels + place) - <f64>load<f32>(network.targetPanels + place);
      const raw = <f64>load<f32>(layer.panels + logPlace);
      const s = min(max(raw, -MAX_LOG_VARIANCE), MAX_LOG_VARIANCE);
      const precision = Math.exp(-s);
      const z2 = error * error * precision;
      const weight = beta > 0.0 ? scale * Math.exp(beta * s) : scale;
      const slope = 0.5 * weight * (1.0 - z2);
      const leadsOut = (raw > MAX_LOG_VARIANCE && slope < 0.0) || (raw < -MAX_LOG_VARIANCE && slope > 0.0);
      sum += 0.5 * (s + z2);
      store<f32>(layer.deltaPanels + place, <f32>(weight * error * precision));
      store<f32>(layer.deltaPanels + logPlace, leadsOut ? 0 : <f32>slope);
    }
  }
  return sum;
}

/** Σ −log p of the rows' classes, and δ = scale·(p − [the row's class]), p = softmax of the outputs. */
function logLoss(network: Network, rows: i32, count: i32, scale: f64): f64 {
  const layer = network.last();
  const outputs = layer.outputs;
  let sum = 0.0;
  for (let i = 0; i < count; i++) {
    const row = (<usize>i) << 5;
    const label = <i32>load<f32>(network.targetPanels + row);
    let largest = -Infinity;
    for (let c = 0; c < outputs; c++) {
      largest = max(largest, <f64>load<f32>(layer.panels + columnOffset(c, rows) + row));
    }
    let total = 0.0;
    for (let c = 0; c < outputs; c++) {
      const place = columnOffset(c, rows) + row;
      const weight = Math.exp(<f64>load<f32>(layer.panels + place) - largest);
      store<f32>(layer.deltaPanels + place, <f32>weight);
      total += weight;
    }
    for (let c = 0; c < outputs; c++) {
      const place = layer.deltaPanels + columnOffset(c, rows) + row;
      const p = <f64>load<f32>(place) / total;
      store<f32>(place, <f32>(scale * (c == label ? p - 1.0 : p)));
    }
    sum += Math.log(total) + largest - <f64>load<f32>(layer.panels + columnOffset(label, rows) + row);
  }
  return sum;
}

/** Sum of the loss over a batch; scale·∂loss/∂outputs goes into the last layer's δ panels. */
export function batchLoss(network: Network, rows: i32, count: i32, scale: f32): f64 {
  if (network.loss == GAUSSIAN_NLL) return gaussianNll(network, rows, count, <f64>scale);
  if (network.loss == LOG_LOSS) return logLoss(network, rows, count, <f64>scale);
  return squaredError(network, rows, count, scale);
}

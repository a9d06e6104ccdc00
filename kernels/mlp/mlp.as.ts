export {
  mlpNew,
  mlpConfigure,
  mlpParameters,
  mlpFirstMoment,
  mlpSecondMoment,
  mlpBest,
  mlpKeep,
  mlpPack,
  mlpUnpack,
} from './network.as';
export { mlpEpoch, mlpLoss } from './train.as';
export { mlpPredict, mlpSpread } from './predict.as';

export {
  currentPush,
  endPush,
  type PushOutcome,
  type PushRefusal,
  pushRefusal,
  type PushWorkerPlace,
  subscribePush,
} from './push/push-device.ts';
export { handlePush, isPushScope, type PushClick, type PushScope, type PushWorkerOptions } from './push/push-worker.ts';

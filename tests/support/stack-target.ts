import type { Target, TargetRequest } from './target.ts';

export function startStackTarget(_request: TargetRequest): Promise<Target> {
  return Promise.reject(new Error('not yet'));
}

import type { Environment } from '../api/environment.ts';
import { request } from '../core/http.ts';

/** A file, as it comes. */
export function exported(
  environment: Environment,
  base: string,
  token: string,
  id: number,
  query: Readonly<Record<string, string>>,
): Promise<Blob> {
  return request(environment, 'GET', `${base}/chat/session/${id}/export`, { token, query }, (response) =>
    response.blob(),
  );
}

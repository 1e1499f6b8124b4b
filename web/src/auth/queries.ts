import { query } from '../connection/query.ts';

export function readinessQuery() {
  return query('getReadiness', {});
}

export function methodsQuery(tenant: string | undefined) {
  return query('getLoginMethods', tenant === undefined ? {} : { query: { tenant } });
}

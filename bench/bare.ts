/**
 * The yardstick: a bare Fastify POST that verifies the same token as Millrace does and answers. Its speed on a
 * machine is as much as any server of this kind could.
 */
import fastify, { type FastifyRequest } from 'fastify';
import { createVerifier } from '../server/src/access/auth/tokens.ts';

const [publicKey = ''] = process.argv.slice(2);
const verify = createVerifier(
  () => Promise.resolve(publicKey),
  () => new Date(),
);
const http = fastify({ logger: false });

const answer = async (request: FastifyRequest) => {
  await verify(request.headers['x-authorization'] as string);
  return { received: (request.body as { workItems: unknown[] }).workItems.length };
};
http.route({ method: 'POST', url: '/', handler: answer });

process.send?.(await http.listen({ host: '127.0.0.1', port: 0 }));
process.once('disconnect', () => process.exit());

// Answer the measured query with graphql-yoga, or mercurius with or without jit: node node_servers.mjs KIND PORT
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import postgres from 'postgres';

const [kind, port] = process.argv.slice(2);
const here = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');
const sql = postgres(process.env.DATABASE_URL, { max: 10 });
const statement = here('tags_of_person.sql');
const typeDefs = here('schema.graphql');

const user = async (_, { channelId, openid }) => {
  const rows = await sql.unsafe(statement, [channelId, openid], { prepare: true });
  return { tags: rows.map((row) => ({ tag: { id: `${channelId}.${row.tag_id}`, name: row.name, category: row.category } })) };
};
const resolvers = { Query: { user } };

if (kind === 'graphql-yoga') {
  const { createSchema, createYoga } = await import('graphql-yoga');
  const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), logging: false });
  createServer(yoga).listen(Number(port), '127.0.0.1');
} else {
  const { default: fastify } = await import('fastify');
  const { default: mercurius } = await import('mercurius');
  const app = fastify();
  app.register(mercurius, { schema: typeDefs, resolvers, jit: kind === 'mercurius-jit' ? 1 : 0 });
  await app.listen({ port: Number(port), host: '127.0.0.1' });
}

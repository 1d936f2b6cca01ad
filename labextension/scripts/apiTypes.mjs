/**
 * Types of the API from the OpenAPI document on standard input, to standard output: `make api-types`.
 *
 * Of the schemas alone: the routes would be ten times as long, most of it the same refusals.
 */
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';
import * as prettier from 'prettier';

const HEAD =
  '// Made by `make api-types` from what the server says in `/openapi.json`. Do not edit.\n\n';

const document = JSON.parse(await text(process.stdin));
const types = await openapiTS(
  { ...document, paths: {} },
  { immutable: true, defaultNonNullable: false, emptyObjectsUnknown: true }
);
const rules = await prettier.resolveConfig(fileURLToPath(import.meta.url));
process.stdout.write(
  await prettier.format(HEAD + astToString(types), { ...rules, parser: 'typescript' })
);

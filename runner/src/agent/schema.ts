import { plainName, withoutNul } from '../schema.ts';

const name = { type: 'string', minLength: 1, maxLength: 255, pattern: plainName };
const text = { type: 'string', pattern: withoutNul };
const filled = { ...text, minLength: 1 };

const bot = {
  type: 'object',
  required: ['command'],
  additionalProperties: false,
  properties: {
    command: { type: 'array', minItems: 1, items: filled },
    cwd: filled,
    env: { type: 'object', propertyNames: filled, additionalProperties: text },
    timeoutSeconds: { type: 'number', minimum: 0.001, maximum: 2_000_000 },
    killGraceSeconds: { type: 'number', minimum: 0, maximum: 10 },
    businessExitCode: { type: 'integer', minimum: 1, maximum: 255 },
    warm: {
      type: ['boolean', 'object'],
      additionalProperties: false,
      properties: {
        maxItems: { type: 'integer', minimum: 1, maximum: 1_000_000_000 },
        idleSeconds: { type: 'number', minimum: 0, maximum: 2_000_000 },
      },
    },
  },
};

/** The schema of a written configuration. */
export const configSchema = {
  type: 'object',
  required: ['bots'],
  additionalProperties: false,
  properties: {
    url: { type: 'string', pattern: '^https?://' },
    device: {
      type: 'object',
      additionalProperties: false,
      properties: {
        hostName: name,
        nickname: { type: 'string', minLength: 1, maxLength: 255 },
        labels: { type: 'array', maxItems: 50, items: { ...name, maxLength: 100 } },
        slots: { type: 'integer', minimum: 1, maximum: 1000 },
      },
    },
    leaseSeconds: { type: 'number', minimum: 1, maximum: 86_400 },
    drainSeconds: { type: 'number', minimum: 0, maximum: 86_400 },
    maxOutputBytes: { type: 'integer', minimum: 2, maximum: 10_000_000 },
    bots: {
      type: 'object',
      minProperties: 1,
      maxProperties: 500,
      propertyNames: name,
      additionalProperties: bot,
    },
  },
};

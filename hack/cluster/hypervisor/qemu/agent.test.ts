import {expect, test} from '@jest/globals';
import type {AgentFacts} from '../guest.ts';
import {AgentMemory} from './agent.ts';

const facts: AgentFacts = {version: '7.2', hostname: 'web', os: {}, interfaces: new Map(), users: [], fileSystems: []};

test.each<[string, readonly (AgentFacts | undefined)[], readonly boolean[], boolean]>([
  ['none ever', [undefined, undefined], [false, false], false],
  ['one that comes', [undefined, facts], [false, true], true],
  ['one missed poll is not told', [facts, undefined], [true, false], true],
  ['nor is one now and then', [facts, undefined, facts, undefined], [true, false, true, false], true],
  ['two in a row are', [facts, undefined, undefined], [true, false, true], false],
  ['once', [facts, undefined, undefined, undefined], [true, false, true, false], false],
])('%s', (_name, answers, told, known) => {
  const agent = new AgentMemory();
  expect(answers.map((answer) => agent.hear(answer))).toEqual(told);
  expect(agent.facts !== undefined).toBe(known);
});

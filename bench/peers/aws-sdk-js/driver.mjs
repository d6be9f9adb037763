// SPDX-License-Identifier: BSL-1.0
// The measured loop over the AWS SDK for JavaScript v3: a promise a lane. The SDK opens at most 50
// connections by default; here each lane may have its own.
import {DynamoDBClient, GetItemCommand} from '@aws-sdk/client-dynamodb';
import {NodeHttpHandler} from '@smithy/node-http-handler';
import {readFileSync, writeFileSync} from 'node:fs';
import {Agent} from 'node:http';
import {setTimeout as sleep} from 'node:timers/promises';
import {parseArgs} from 'node:util';

const option = (value) => ({type: 'string', default: value});
const {values: options} = parseArgs({options: {
    endpoint: option(), table: option('cache'), key: option('1k'), concurrency: option('32'),
    warmup: option('1'), seconds: option('10'), json: option()}});
const lanes = Number(options.concurrency);
const client = new DynamoDBClient({
    endpoint: options.endpoint,
    requestHandler: new NodeHttpHandler({
        httpAgent: new Agent({keepAlive: true, maxSockets: lanes}),
    }),
});
const expected = Buffer.from('0123456789abcdef'.repeat(64));
const input = {TableName: options.table, Key: {key: {S: options.key}}};
let phase = 'warm-up', errors = 0, failure;
const latencies = [];

async function getOnce() {
    const {Item: item} = await client.send(new GetItemCommand(input));
    if (!expected.equals(item.value.B)) throw new Error('another value');
}

async function lane() {
    while (phase !== 'over') {
        const begin = performance.now();
        try {
            await getOnce();
            if (phase === 'measured') latencies.push(performance.now() - begin);
        } catch (why) {
            failure ??= why;
            if (phase === 'measured') ++errors;
            await sleep(1); // or the clock would starve when it fails at once
        }
    }
}

const running = Array.from({length: lanes}, lane);
await sleep(Number(options.warmup) * 1000);
phase = 'measured';
const begin = performance.now(), before = process.cpuUsage();
await sleep(Number(options.seconds) * 1000);
phase = 'over';
const seconds = (performance.now() - begin) / 1000, cpu = process.cpuUsage(before);
await Promise.all(running);

const ops = latencies.length;
latencies.sort((a, b) => a - b);
const percentile = (share) => (latencies[Math.min(Math.floor(ops * share), ops - 1)] ?? 0) * 1000;
const packageFile = new URL('package.json', import.meta.url);
const version = JSON.parse(readFileSync(packageFile)).dependencies['@aws-sdk/client-dynamodb'];
writeFileSync(options.json, JSON.stringify({
    version: `@aws-sdk/client-dynamodb ${version}, node ${process.version}`,
    ops, errors, seconds, ops_per_s: ops / seconds,
    cpu_us_per_op: (cpu.user + cpu.system) / Math.max(ops, 1), allocations_per_op: null,
    latency_us: {p50: percentile(0.5), p90: percentile(0.9), p99: percentile(0.99),
                 p999: percentile(0.999), max: percentile(1)},
    peak_rss_bytes: process.resourceUsage().maxRSS * 1024,
}) + '\n');
if (failure) console.error('first failure:', failure);
process.exit(ops > 0 && !failure ? 0 : 3);

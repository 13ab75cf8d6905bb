// The classic defects of recording services, each as a change of the source that brings it back. A text that is no longer found
// exactly once fails loudly: the mutant has to follow the code. `shownBy`: the single history that shows it at once.
// `shownByTest`: the test that shows what is not in the simulation.

const change = (file, find, replace) => ({ file, find, replace });
const inTest = (project, file, test) => ({ project, file, test });
const M = 'src/recordings/domain';
const U = 'src/recordings/use-cases';
const S = 'src/recordings/store';
const J = 'src/recordings/jobs';

const MUTANTS = [
  {
    name: 'M1',
    defect: 'a webhook is answered 200 though its processing failed',
    shownBy: 'Redis is away while a recording ends',
    changes: [
      change(
        'src/recordings/ingest/livekit-webhook.controller.ts',
        'await this.jobs.add(applyLiveKitEvent, { event });',
        'await this.jobs.add(applyLiveKitEvent, { event }).catch(() => undefined);',
      ),
      change(
        'src/recordings/ingest/livekit-webhook.controller.ts',
        'this.local.run(applyLiveKitEvent, { event }).then(() => true)',
        'this.local.run(applyLiveKitEvent, { event }).catch(() => undefined).then(() => true)',
      ),
    ],
  },
  {
    name: 'M2',
    defect: 'a late event overwrites a final status',
    shownBy: 'a report that contradicts the one before',
    changes: [
      change(
        `${M}/egress-fact.ts`,
        'if (isOver(now)) return join(named, onLateReport(now, egress, state, at));',
        'if (isOver(now) && !primary) return join(named, onLateReport(now, egress, state, at));',
      ),
    ],
  },
  {
    name: 'M3',
    defect: 'an egress that is not listed is taken for dead at first sight',
    shownBy: 'LiveKit loses its records while a worker records',
    changes: [
      change(
        `${M}/verdict.ts`,
        'filter((id) => workerOf(evidence, id).silentAt.length === 0)',
        'filter(() => false)',
      ),
      change(
        `${M}/thresholds.ts`,
        'knownEgressAbsent: { looks: 3, spanMs: 8_000 }',
        'knownEgressAbsent: { looks: 1, spanMs: 0 }',
      ),
      change(
        `${M}/verdict.ts`,
        'for (const egressId of watchedEgresses(recording)) {\n    const { answer, silentAt }',
        'for (const egressId of watchedEgresses(recording).slice(99)) {\n    const { answer, silentAt }',
      ),
      change(
        `${M}/verdict.ts`,
        'return watchedEgresses(recording).every((id) => isLongSilent(workerOf(evidence, id), limits));',
        'return true;',
      ),
    ],
  },
  {
    name: 'M4',
    defect: 'an empty list is believed',
    shownBy: 'a start of which nobody is told and that the list of its room does not show',
    changes: [
      change(
        `${U}/gather-evidence.ts`,
        'const listed = ofRoom.length > 0 ? ofRoom : await this.livekit.listEgresses(active);',
        'const listed = ofRoom;',
      ),
    ],
  },
  {
    name: 'M5',
    defect: 'STARTING is never swept',
    shownBy: 'a start that never becomes active',
    changes: [
      change(`${M}/verdict.ts`, '        startDeadline,\n', ''),
      change(
        `${M}/verdict.ts`,
        'const isOverdue = dueAt !== null && now >= dueAt;',
        'const isOverdue = dueAt === 0;',
      ),
    ],
  },
  {
    name: 'M6',
    defect: 'sweeps stay off after Redis came back',
    shownBy: 'Redis is away while a recording ends',
    changes: [
      change(
        'src/sweeps/sweep-ticker.ts',
        '    } finally {\n      this.ticking = false;\n    }',
        '      return;\n    }\n    this.ticking = false;',
      ),
    ],
  },
  {
    name: 'M7',
    defect: 'a start whose answer is late is never stopped',
    shownBy: 'a proxy gives a start up that goes on behind it',
    changes: [
      change(
        `${M}/egress-fact.ts`,
        "  if (state === 'live')\n    return egress.status === 'ENDING' ? nothing : stop(egress, `its recording is ${now.status}`);",
        "  if (state === 'live') return nothing;",
      ),
    ],
  },
  {
    name: 'M8',
    defect: 'a failed start leaves no row',
    shownBy: 'a start that is refused',
    changes: [
      change(
        `${M}/recording.machine.ts`,
        '    internal: {\n      ...internal,\n      ...startResult(now, { code,',
        '    internal: {\n      ...internal,\n      deleted: true,\n      ...startResult(now, { code,',
      ),
    ],
  },
  {
    name: 'M9',
    defect: 'the slot is freed while an egress is STARTING',
    shownBy: 'a proxy gives a start up that goes on behind it',
    changes: [
      change(
        `${M}/slot.ts`,
        'if (!isOver(recording) || hasLiveEgress(recording)) return false;',
        'if (!isOver(recording)) return false;',
      ),
      change(`${M}/slot.ts`, '  if (at < upkeep.startPendingUntil) return false;', ''),
      change(
        `${M}/slot.ts`,
        '  return upkeep.listedAt !== null && upkeep.listedAt >= upkeep.startPendingUntil;',
        '  return true;',
      ),
    ],
  },
  {
    name: 'M10',
    defect: 'lock collection frees a room without publishers while its recording is live',
    shownBy: 'nobody publishes for a while',
    changes: [
      change('src/sweeps/orphaned-locks.sweep.ts', '    await this.giveBack(pass);\n', ''),
      change(
        'src/sweeps/orphaned-locks.sweep.ts',
        '      if (recording !== null && !isOver(recording)) continue;\n',
        [
          '      if (recording !== null && !isOver(recording)) {',
          '        const room = await this.livekit.findRoom(slot.roomId);',
          '        if (room === null || room.numPublishers === 0) await this.free(slot, recording.rev);',
          '        continue;',
          '      }',
          '',
        ].join('\n'),
      ),
    ],
  },
  {
    name: 'M11',
    defect: 'one whose time is over still writes what it had decided',
    changes: [
      change(
        'src/recordings/write/recording.writer.ts',
        'const decision = decide(before, fact);',
        'const decision = (stale ??= decide(before, fact));',
      ),
      change(
        'src/recordings/write/recording.writer.ts',
        '    for (let tried = 0; tried < TRIES; tried++) {\n      // What was read',
        '    let stale: ReturnType<typeof decide> | null = null;\n    for (let tried = 0; tried < TRIES; tried++) {\n      // What was read',
      ),
    ],
  },
  {
    name: 'M12',
    defect: 'row and media are deleted in parallel',
    shownBy: 'a storage that refuses some keys of a deletion',
    changes: [
      change(
        `${U}/delete-recording.ts`,
        '    await this.removeObjects(subject, giveUp);\n',
        '    const removing = this.removeObjects(subject, giveUp);\n    removing.catch(() => undefined);\n',
      ),
      change(
        `${U}/delete-recording.ts`,
        "    await this.writer.apply(id, { kind: 'deleted', at: this.clock.now() }, by);",
        "    await this.writer.apply(id, { kind: 'deleted', at: this.clock.now() }, by);\n    await removing;",
      ),
    ],
  },
  {
    name: 'M13',
    defect: 'errors of single keys of a delete are ignored',
    shownBy: 'a storage that refuses some keys of a deletion',
    changes: [
      change(
        'src/storage/recording-objects.ts',
        'return result.deleted ? null : result.why;',
        'return null;',
      ),
    ],
  },
  {
    name: 'M14',
    defect: 'what was asked to stop is deleted after a fixed sleep',
    shownBy: 'a room is emptied while it is recorded and its upload takes long',
    changes: [
      change(
        'src/bulk-deletions/domain/verdict.ts',
        "  if (!isFinal(status)) return { do: status === 'ENDING' ? 'wait' : 'stop' };\n",
        "  if (!isFinal(status) && work.waitingSince === undefined) return { do: status === 'ENDING' ? 'wait' : 'stop' };\n  if (work.waitingSince !== undefined) return { do: 'delete', claim: { roomId } };\n",
      ),
    ],
  },
  {
    name: 'M15',
    defect: 'the result of a bulk deletion is lost when one call throws',
    changes: [
      change(
        'src/bulk-deletions/domain/verdict.ts',
        "    if (work.claim) return { do: 'confirm', claim: work.claim };\n",
        '',
      ),
    ],
  },
  {
    name: 'M16',
    defect: 'the media of LIMIT_REACHED is not playable',
    shownBy: 'a limit whose timer is lost',
    changes: [
      change(
        'src/recordings/graphql/recording.view.ts',
        'const isPlayable = hasMedia && isFinal(recording.status);',
        "const isPlayable = hasMedia && recording.status === 'COMPLETE';",
      ),
    ],
  },
  {
    name: 'M17',
    defect: 'an effect is lost by a crash after the commit',
    changes: [
      change(
        'src/recordings/jobs/queue-effects.ts',
        '    if (this.looking) return;\n',
        '    if (this.looking || !this.looking) return;\n',
      ),
    ],
  },
  {
    name: 'M18',
    defect: 'one look at a room without publishers ends its recording',
    shownBy: 'a long meeting',
    changes: [
      change(
        `${M}/verdict.ts`,
        "const deserted = room.state === 'known' && (!room.value.open || room.value.numPublishers === 0);",
        "const deserted = room.state === 'known';",
      ),
      change(
        `${M}/verdict.ts`,
        'return now - Math.max(recording.updatedAt, heardAt ?? 0) > limits.staleAfterMs',
        'return now - (recording.updatedAt + 0 * (heardAt ?? 0)) > limits.staleAfterMs',
      ),
    ],
  },
  {
    name: 'M19a',
    defect: "the probe's 400 is read as a failure",
    shownBy: 'a long meeting',
    changes: [
      change(
        'src/livekit/twirp-answers.mapping.ts',
        "if (answer.kind === 'ok' || isRefusal(answer, 'invalid_argument')) return 'alive';",
        "if (answer.kind === 'ok') return 'alive';\n  if (isRefusal(answer, 'invalid_argument')) return 'silent';",
      ),
    ],
  },
  {
    name: 'M19b',
    defect: "the probe's 503 is read as an ending at first sight",
    shownBy: 'the message bus is silent for a moment',
    changes: [
      change(
        `${M}/worker-verdict.ts`,
        'return silentAt.length >= THRESHOLDS.leastSilences && lasted >= workerLostAfterMs;',
        'return silentAt.length >= 1 && lasted < 1e12;',
      ),
      change(
        `${M}/worker-verdict.ts`,
        "  if (another.state === 'not-asked')\n    return { state: 'open', question: { ask: 'another-worker', egressId, since } };",
        "  if (since !== null) return { state: 'proven', control: 'there' };",
      ),
    ],
  },
  {
    name: 'M20',
    defect: 'a recorder that is still shown in the room is taken for a sign of life',
    shownBy: 'a worker dies and its recorder stays in the room',
    changes: [
      change(
        `${U}/gather-evidence.ts`,
        'const said = await this.observed(this.question(egressId, askedAs));',
        [
          'const said = await this.observed(this.question(egressId, askedAs));',
          "    const shown = (await this.livekit.findEgress(egressId))?.roomName ?? '';",
          '    const inRoom = await this.livekit.listParticipants(shown);',
          '    if (inRoom.some(({ identity }) => identity === egressId)) {',
          '      await this.recorders.heard(egressId, askedAt);',
          "      return withWorker(evidence, egressId, { heardAt: askedAt, silentAt: [], answer: known({ said: 'alive', askedAs }) });",
          '    }',
        ].join('\n'),
      ),
    ],
  },
  {
    name: 'M21',
    defect: 'silence of all workers ends all recordings',
    shownBy: 'the message bus is silent for long',
    changes: [
      change(
        `${M}/worker-verdict.ts`,
        "  if (another.state === 'not-asked')\n    return { state: 'open', question: { ask: 'another-worker', egressId, since } };",
        "  if (since !== null) return { state: 'proven', control: 'there' };",
      ),
    ],
  },
  {
    name: 'M22a',
    defect: 'a recording whose worker died while uploading stays ENDING',
    shownBy: 'a worker dies in a long upload',
    changes: [
      change(
        `${U}/gather-evidence.ts`,
        "listed === 'ENDING'\n      ? this.livekit.askEndingWorker(egressId)",
        'listed === egressId\n      ? this.livekit.askEndingWorker(egressId)',
      ),
    ],
  },
  {
    name: 'M22b',
    defect: 'a recording with a long upload is ended',
    shownBy: 'an upload takes long',
    changes: [
      change(
        'src/livekit/twirp-answers.mapping.ts',
        "if (isRefusal(answer, 'failed_precondition')) return 'not-askable';",
        "if (isRefusal(answer, 'failed_precondition')) return 'silent';",
      ),
      change(
        `${U}/gather-evidence.ts`,
        "listed === 'ENDING'\n      ? this.livekit.askEndingWorker(egressId)",
        'listed === egressId\n      ? this.livekit.askEndingWorker(egressId)',
      ),
    ],
  },
  {
    name: 'M23',
    defect: 'a lost recording is restarted although its stop had been asked for',
    shownBy: 'a stop that is stored before the recorder is found dead',
    changes: [
      change(`${M}/continuation.ts`, '  if (upkeep.stopRequestedAt !== null) return false;\n', ''),
      change(
        `${M}/continuation.ts`,
        'if (ORDERED.includes(before.endReason) && !before.upkeep.workerLimit) return false;',
        '',
      ),
    ],
  },
  {
    name: 'M24',
    defect: 'a stop that was answered 408 is forgotten',
    shownBy: 'a stop that nobody hears',
    changes: [
      change(
        `${U}/stop-recording.ts`,
        "      case 'no-answer-from-worker':\n        return this.taken(recording, actor, null);\n",
        "      case 'no-answer-from-worker':\n        return recording;\n",
      ),
    ],
  },
  {
    name: 'M25',
    defect: 'a continuation records whatever meeting is in the room',
    shownBy: 'the room is another session before a worker is back',
    changes: [
      change(
        `${M}/verdict.ts`,
        'if (room.value.open && !isSameSession(recording, room.value))',
        'if (room.value.open && room.value.sid === recording.id && !isSameSession(recording, room.value))',
      ),
      change(
        `${U}/start-continuation.ts`,
        'if (room === null || !isSameSession(present, room)) return;',
        'if (room === null) return;',
      ),
    ],
  },
  {
    name: 'M26',
    defect: 'a continuation that failed to start is the last one',
    shownBy: 'a continuation that does not become active',
    changes: [
      change(
        `${M}/continuation.ts`,
        'if (continues !== null && FAILED_START.includes(endReason)) return true;',
        'if (continues !== null && FAILED_START.includes(endReason)) return false;',
      ),
    ],
  },
  {
    name: 'M27',
    defect: 'a stop is stored only once LiveKit has answered it',
    shownBy: 'a stop while the recorder is being found dead',
    changes: [
      change(
        `${U}/stop-recording.ts`,
        'const wanted = (await this.want(recording, actor)) ?? (await this.find.one(id, actor));',
        'const wanted = recording;',
      ),
      change(
        `${U}/stop-recording.ts`,
        "if (isOver(wanted) && recording.status !== 'ENDING') return wanted;",
        '',
      ),
    ],
  },
  {
    name: 'M28',
    defect: "another deployment's egress is taken for ours",
    shownBy: 'another deployment writes to the very key of ours',
    changes: [
      change(
        `${U}/own-egresses.ts`,
        'isSameTarget(egress.bucket, output);',
        '(egress.bucket === null || isSameTarget(egress.bucket, output) || true);',
      ),
    ],
  },
  {
    name: 'M29',
    defect: 'a start that nobody sent is never sent',
    shownBy: 'the process dies before it claims its start',
    changes: [
      change(
        `${M}/verdict.ts`,
        "  if (isLeft && evidence.looked.state === 'known') return act('send-start');\n",
        '',
      ),
    ],
  },
  {
    name: 'M30',
    defect: 'an egress whose recording Redis forgot is stopped though its record is in the bucket',
    shownBy: 'Redis forgets a recording while the bucket is unavailable',
    changes: [
      change(
        `${M}/orphan.ts`,
        "if (restored === undefined) return { do: 'restore' };",
        "if (restored === undefined) return { do: 'stop', reason: 'nobody knows it' };",
      ),
    ],
  },
  {
    name: 'M31',
    defect: 'a stop of what is to be continued stops nothing',
    shownBy: 'a stop while a continuation waits for a worker',
    changes: [
      change(
        'src/recordings/use-cases/stop-recording.ts',
        '    if (isOver(last) && awaitsContinuation(last)) {\n      await this.want(last, actor);\n',
        '    if (isOver(last) && awaitsContinuation(last)) {\n',
      ),
      change(
        'src/recordings/use-cases/stop-recording.ts',
        'stopped.upkeep.stopRequestedAt === null ?',
        'stopped.upkeep.stopRequestedAt === undefined ?',
      ),
    ],
  },
  {
    name: 'M32',
    defect: 'a room that does not want it is recorded on',
    shownBy: 'a recorder that dies in a room that does not want to be recorded further',
    changes: [
      change(
        'src/recordings/use-cases/gather-evidence.ts',
        'const wanted = room !== null && room.recordingSettings.enabled && room.recordingSettings.restartWhenLost;',
        'const wanted = room !== null && room.recordingSettings.enabled;',
      ),
    ],
  },
  {
    name: 'M33',
    defect: 'a room whose recorders die at once is started for ever',
    shownBy: 'recorders that die at once, again and again',
    changes: [
      change(
        'src/recordings/domain/verdict.ts',
        '  if (endedInARow >= THRESHOLDS.mostInARow)\n',
        '  if (endedInARow > THRESHOLDS.mostInARow)\n',
      ),
    ],
  },
  {
    name: 'M34',
    defect: 'two callers share an idempotency key',
    shownBy: 'two callers with one key',
    changes: [
      change(
        'src/recordings/use-cases/start-recording.ts',
        'caller: actor.callerId, key,',
        "caller: 'all', key,",
      ),
    ],
  },
  {
    name: 'M35',
    defect: 'an egress that LiveKit lost its record of is ended although its worker answers',
    shownBy: 'LiveKit loses its records while a worker records',
    changes: [
      change(
        'src/recordings/domain/verdict.ts',
        'filter((id) => workerOf(evidence, id).silentAt.length === 0)',
        'filter(() => false)',
      ),
      change(
        'src/recordings/domain/verdict.ts',
        "    if (answer.value.said === 'alive' || answer.value.said === 'not-askable') return null;\n",
        '',
      ),
      change(
        'src/recordings/domain/verdict.ts',
        'return watchedEgresses(recording).every((id) => isLongSilent(workerOf(evidence, id), limits));',
        'return true;',
      ),
      change(
        'src/recordings/domain/worker-verdict.ts',
        "return confirmed.state === 'known' && confirmed.value === 'silent'\n",
        "return confirmed.state === 'known'\n",
      ),
    ],
  },
  {
    name: 'M36',
    defect: "a proxy's 504 is taken for LiveKit's own answer",
    shownBy: 'a proxy gives a start up that goes on behind it',
    changes: [
      change(
        'src/livekit/twirp-answers.mapping.ts',
        "return { kind: 'unknown', answered: code !== null, status, why };",
        "return { kind: 'unknown', answered: code !== undefined, status, why };",
      ),
    ],
  },
  {
    name: 'M37',
    defect: 'a timer that rings early is believed',
    shownBy: 'a limit whose timer rings early',
    changes: [
      change(
        'src/recordings/domain/verdict.ts',
        "  if (dueAt === null || now < dueAt) return null;\n  const fact = { kind: 'duration-limit-passed'",
        "  if (dueAt === null) return null;\n  const fact = { kind: 'duration-limit-passed'",
      ),
    ],
  },
  {
    name: 'M38',
    defect: 'a room that Redis forgot is held is given to a second recording for good',
    shownBy: 'Redis forgets who holds a room',
    changes: [change('src/sweeps/orphaned-locks.sweep.ts', '    await this.giveBack(pass);\n', '')],
  },
  {
    name: 'M39',
    defect: 'an egress that LiveKit has forgotten is ended because nobody can be reached',
    shownBy: 'LiveKit loses its records before the message bus falls silent',
    changes: [
      change(
        `${M}/verdict.ts`,
        'const proof = proofOf(of, egressId, { listed: null, since: silentAt.at(-1) ?? now, patient: true });',
        "const proof = silentAt.length === 0 ? { state: 'none' } : { state: 'proven' };",
      ),
    ],
  },
  {
    name: 'M40',
    defect: 'a stop that is answered 404 ends the recording, whoever records it',
    shownBy: 'a stop of what LiveKit has forgotten while the message bus is silent',
    changes: [
      change(
        `${M}/verdict.ts`,
        'const proof = proofOf(of, egressId, { listed: null, since: now, patient: false });',
        "const proof = { state: 'proven', control: 'there' };",
      ),
    ],
  },
  {
    name: 'M41',
    defect: 'whoever hears the answer to a start stops its egress where Redis has forgotten the attempt',
    shownBy: 'Redis forgets a recording before the answer to its start comes',
    changes: [
      change(
        `${U}/launch-egress.ts`,
        "await this.writer.apply(id, { ...fact, at: this.clock.now() }, 'livekit', undefined, read);",
        "const applied = await this.writer.apply(id, { ...fact, at: this.clock.now() }, 'livekit', undefined, read);\n        if (applied === null && fact.kind === 'start-accepted') await this.livekit.stopEgress(fact.egress.egressId);",
      ),
    ],
  },
  {
    name: 'M42',
    defect: 'a bulk deletion says that nothing was touched where the storage did not answer',
    shownBy: 'a bulk deletion that dies half way, and a storage that is away for all its further tries',
    changes: [
      change(
        'src/bulk-deletions/use-cases/delete-claimed.ts',
        'if (media[i] !== true)',
        'if (media[i] === undefined)',
      ),
    ],
  },
  {
    name: 'M43',
    defect: 'a child that outlived its worker sits in the room to the end',
    shownBy: 'a worker dies and its recorder stays in the room',
    changes: [
      change(
        'src/sweeps/livekit-reconciliation.sweep.ts',
        '    await this.removeLost(pass, lost, { rooms, live });\n',
        '',
      ),
    ],
  },
  {
    name: 'M44',
    defect: 'a room is given away while an egress that LiveKit has forgotten still uploads',
    shownBy: 'LiveKit loses its records while what was seen too late is still uploaded',
    changes: [
      change(
        `${M}/verdict.ts`,
        'filter((id) => workerOf(evidence, id).silentAt.length === 0)',
        'filter(() => false)',
      ),
    ],
  },
  {
    name: 'M45',
    defect: 'a recording of which Redis lost that somebody has to come back to it goes on for ever',
    shownBy: 'Redis forgets that somebody has to come back to a recording whose worker is dead',
    changes: [
      change(
        'src/sweeps/orphaned-locks.sweep.ts',
        '      if (recording !== null) await this.forgotten.look(pass, recording);\n',
        '',
      ),
      change('src/sweeps/look-at-rows.ts', '    await this.forgotten.look(pass, recording);\n', ''),
    ],
  },
  {
    name: 'M46',
    defect:
      'an egress that nothing explains holds its room for as long as LiveKit lists it, though its worker is dead',
    shownBy: 'Redis and the bucket know nothing of a recording whose worker dies',
    changes: [
      change(`${U}/reconcile-egress.ts`, '    await this.recorders.silent(egressId, askedAt);\n', ''),
    ],
  },
  {
    name: 'M50',
    defect: 'a pipeline that stands still while its worker answers is never found',
    shownBy: 'a pipeline stands still while people publish',
    changes: [change(`${M}/verdict.ts`, '        stall,\n        recovery,', '        recovery,')],
  },
  {
    name: 'M51',
    defect: 'a store that is slow is taken for a pipeline that stands still',
    shownBy: 'a bucket that is slow for everybody',
    changes: [change(`${M}/thresholds.ts`, 'promptBucketMs: 2_000', 'promptBucketMs: 600_000')],
  },
  {
    name: 'M52',
    defect: 'an egress that writes nothing because nobody publishes is taken for one that stands still',
    shownBy: 'nobody publishes for long, and an egress that then writes nothing',
    changes: [
      change(`${M}/stall-verdict.ts`, 'if (around === null || !around.isDue)', 'if (around === null)'),
    ],
  },
  {
    name: 'M53',
    defect: 'a list that shows nothing new is believed',
    shownBy: 'a list that shows nothing new, of a bucket that is complete',
    changes: [
      change(
        `${U}/gather-evidence.ts`,
        'return (await this.storage.head(numberedSegmentKey(recording, (newestKnown ?? -1) + 1))) !== null;',
        'return false;',
      ),
    ],
  },
  {
    name: 'M54',
    defect: 'segments that are late are taken for a pipeline that stands still',
    shownBy: 'segments that come some seconds late',
    changes: [
      change(`${M}/thresholds.ts`, 'leastStillLooks: 3', 'leastStillLooks: 1'),
      change(`${M}/thresholds.ts`, 'stillSegments: 5', 'stillSegments: 0'),
      change(`${M}/thresholds.ts`, 'stillLostAfters: 1 / 2', 'stillLostAfters: 0'),
    ],
  },
  {
    name: 'M55',
    defect:
      'a recording that was stopped is ENDING for as long as LiveKit lists an egress that hears of nothing',
    shownBy: 'a recording that somebody stops, of a child that is stopped',
    changes: [
      change(`${M}/stall-verdict.ts`, "(status === 'ACTIVE' || status === 'ENDING')", "status === 'ACTIVE'"),
    ],
  },
  {
    name: 'M56',
    defect:
      'a recording of a closed room goes on for as long as LiveKit lists an egress that hears of nothing',
    shownBy: 'a room is closed while the recording child in it is stopped',
    changes: [change(`${U}/gather-evidence.ts`, '(await this.livekit.findRoom(roomId)) === null;', 'false;')],
  },
  {
    name: 'M58',
    defect: 'media of an egress whose death nobody can prove is hidden for as long as no room is open',
    shownBy: 'a worker dies unheard in the only room that is open',
    changes: [
      change(
        `${M}/verdict.ts`,
        '!awaitsBucketLook(recording) && !isLeftBySilence(of)',
        '!awaitsBucketLook(recording)',
      ),
    ],
  },
  {
    name: 'M57',
    defect: 'a stop by us ends with the answer that LiveKit has forgotten its egress, which records on',
    shownBy: 'LiveKit loses its records before the limit of what records while the message bus is silent',
    changes: [
      change(`${U}/end-egress.ts`, "if ((await this.state(recordingId, egressId)) === 'live')", 'if (false)'),
      change(
        `${M}/egress-fact.ts`,
        "return status === 'ENDING' && at - updatedAt > THRESHOLDS.stopAgainMs;",
        'return false;',
      ),
    ],
  },
  {
    name: 'M59',
    defect: 'a commit that is sent again because its answer was lost is taken for another one',
    shownByTest: inTest(
      'integration',
      'test/integration/resent-commits.int-spec.ts',
      'stores a new recording once and says so',
    ),
    changes: [
      change(
        `${S}/commit-recording.lua`,
        'if rev == step.nextRev and token == mark then',
        'if rev == step.nextRev and not token then',
      ),
      change(
        `${S}/commit-recording.lua`,
        "if step.rev == '0' and created == mark then",
        "if step.rev == '0' and rev and not created then",
      ),
    ],
  },
  {
    name: 'M60',
    defect: 'a Redis master that is demoted in place is never left',
    shownByTest: inTest(
      'integration',
      'test/integration/redis-faults.int-spec.ts',
      'a master that is demoted in place is left for the new one',
    ),
    changes: [
      change(
        'src/redis/redis.connections.ts',
        '{ ...server, reconnectOnError: leavingDemoted(), ...options }',
        '{ ...server, ...options }',
      ),
    ],
  },
  {
    name: 'M61',
    defect: 'an instance whose Redis is a replica does not say so in its readiness',
    shownByTest: inTest(
      'e2e',
      'test/e2e/redis-faults.e2e-spec.ts',
      'that is a replica is told apart from one that is away',
    ),
    changes: [
      change(
        'src/ops/readiness.ts',
        '      await this.beat.strike();\n      if (isTurn) await this.redis.look();\n',
        '      await this.redis.look();\n',
      ),
    ],
  },
  {
    name: 'M62',
    defect: 'every pass of the reconciliation reads all egresses that ended within a day',
    shownByTest: inTest(
      'long',
      'test/e2e/busy-livekit.e2e-spec.ts',
      'costs a pass what is active, and nobody who asks waits for a whole list',
    ),
    changes: [
      change(
        'src/sweeps/livekit-reconciliation.sweep.ts',
        'this.livekit.listEgresses(full ? {} : { active: true }),',
        'this.livekit.listEgresses(),',
      ),
    ],
  },
  {
    name: 'M63',
    defect: 'a start reads all egresses that ended within a day',
    shownByTest: inTest('unit', `${U}/gather-evidence.spec.ts`, 'needs nothing of what ended within a day'),
    changes: [
      change(
        `${U}/gather-evidence.ts`,
        'const active = this.clock.now() >= startPendingUntil ? {} : { active: true };',
        'const active = startPendingUntil < 0 ? { active: true } : {};',
      ),
    ],
  },
  {
    name: 'M64',
    defect: 'an event log that was emptied can not be followed from its end',
    shownByTest: inTest(
      'integration',
      'test/integration/redis-faults.int-spec.ts',
      'that was emptied can be followed from its end',
    ),
    changes: [
      change(
        'src/recordings/events/end-of-events.lua',
        "local id = redis.call('GET', KEYS[3]) or '0-0'",
        "local id = '0-0'",
      ),
      change(
        'src/recordings/events/end-of-events.lua',
        "if info[i] == 'last-generated-id' then id = info[i + 1] end",
        "if info[i] == 'last-entry' and info[i + 1] then id = info[i + 1][1] end",
      ),
    ],
  },
  {
    name: 'M65',
    defect: 'who follows after a backlog that nobody read waits for one more wake-up with each part of it',
    shownByTest: inTest(
      'integration',
      'test/integration/redis-faults.int-spec.ts',
      'gives the next event at once after',
    ),
    changes: [
      change(
        'src/recordings/events/redis-event-log.ts',
        'for (let reads = 0; reads === 0 || this.behind || (reads === 1 && this.stale); reads++) {',
        'for (let reads = 0; reads === 0; reads++) {',
      ),
      change(
        'src/recordings/events/redis-event-log.ts',
        'if (this.fullReads >= MOST_READS) {',
        'if (this.fullReads >= 1_000 * MOST_READS) {',
      ),
    ],
  },
  {
    name: 'M66',
    defect: 'records stand behind what LiveKit is slow to answer',
    shownByTest: inTest(
      'integration',
      'test/integration/queues-apart.int-spec.ts',
      'is written into the bucket while LiveKit answers nothing of what stands before it',
    ),
    changes: [
      change(`${J}/stop-egress.job.ts`, "queue: 'egresses',", "queue: 'records',"),
      change(`${J}/remove-recorder.job.ts`, "queue: 'egresses',", "queue: 'records',"),
      change(`${J}/signal-room.job.ts`, "queue: 'signals',", "queue: 'records',"),
    ],
  },
  {
    name: 'M67',
    defect: 'effects of a newer version are thrown away by an older instance',
    shownByTest: inTest(
      'unit',
      `${J}/queue-effects.spec.ts`,
      'keeps what this version does not know for an instance that does',
    ),
    changes: [
      change(
        `${J}/queue-effects.ts`,
        'entries.filter((entry) => isKnown(entry) && !this.underWay.has(entry.entry));',
        'entries.filter((entry) => !this.underWay.has(entry.entry));',
      ),
    ],
  },
  {
    name: 'M68',
    defect: 'a webhook that was answered 200 is dropped when a rebuild takes longer than its tries',
    shownByTest: inTest(
      'integration',
      'test/integration/job-queue.int-spec.ts',
      'goes on for as long as what it needs is unavailable, whatever its tries',
    ),
    changes: [
      change(
        'src/queue/dependency-waits.ts',
        'return code in DEPENDENCIES;',
        "return code in DEPENDENCIES && code !== 'REDIS_UNAVAILABLE';",
      ),
    ],
  },
  {
    name: 'M69',
    defect: 'a wake-up waits for as long as the job that failed before it',
    shownByTest: inTest(
      'integration',
      'test/integration/job-queue.int-spec.ts',
      'runs what is woken while it waits to be tried again soon, however long it would wait',
    ),
    changes: [
      change(
        'src/queue/job-runner.ts',
        'wakes ? MAX_WAKE_BACKOFF_MS : MAX_BACKOFF_MS',
        'wakes ? MAX_BACKOFF_MS : MAX_BACKOFF_MS',
      ),
    ],
  },
  {
    name: 'M70',
    defect: 'what Redis could not take while it was away is kept in memory without bound',
    shownByTest: inTest(
      'integration',
      'test/integration/job-queue.int-spec.ts',
      'refuses to add while Redis is away, and goes on when it is back',
    ),
    changes: [
      change(
        'src/redis/redis.connections.ts',
        'maxRetriesPerRequest: 1,\n      enableOfflineQueue: false,\n',
        'maxRetriesPerRequest: null,\n',
      ),
      change('src/queue/bullmq-job-queue.ts', '    await this.queues.whenReady();\n', ''),
      change(
        'src/queue/bullmq-job-queue.ts',
        'await this.queues.get(definition.queue).add(definition.name, traced, optionsOf(definition, data, inMs));',
        [
          'const added = this.queues.get(definition.queue).add(definition.name, traced, optionsOf(definition, data, inMs));',
          'added.catch(() => undefined);',
          "const late = new Error('Command timed out');",
          'await Promise.race([added, new Promise((_, reject) => setTimeout(reject, 2_000, late))]);',
        ].join('\n'),
      ),
    ],
  },
  {
    name: 'M71',
    defect: 'a page by several labels ends in nowhere',
    shownByTest: inTest(
      'integration',
      'test/integration/recording-store.int-spec.ts',
      'go on where too many were passed over for one page, and say from where',
    ),
    changes: [
      change(
        `${S}/redis-recording-pages.ts`,
        'endCursor: full || part.exhausted ? (shown.at(-1)?.cursor ?? null) : after,',
        'endCursor: shown.at(-1)?.cursor ?? null,',
      ),
    ],
  },
  {
    name: 'M72',
    defect: 'a page of several reads misses the events between them',
    shownByTest: inTest(
      'integration',
      'test/integration/recording-store.int-spec.ts',
      'are of the moment at which the first of several reads was made: what happens later is after it',
    ),
    changes: [
      change(`${S}/redis-recording-pages.ts`, 'position: first.position,', 'position: part.position,'),
    ],
  },
  {
    name: 'M73',
    defect: 'the look at LiveKit before a deadline is given less time than LiveKit may take',
    shownByTest: inTest('unit', `${M}/verdict-parts.spec.ts`, 'is waited for during'),
    changes: [
      change(
        `${M}/verdict.ts`,
        '{ withinMs: Math.max(dueAt - now, 0) + limits.livekitTimeoutMs }',
        '{ withinMs: 2_000 }',
      ),
    ],
  },
  {
    name: 'M74',
    defect: 'labels without bound become entries of indexes',
    shownByTest: inTest(
      'e2e',
      'test/e2e/start.e2e-spec.ts',
      'with a bad input names the field and stores nothing',
    ),
    changes: [
      change(
        'src/recordings/graphql/recording.input.ts',
        'if (entries.length > BOUNDS.labels)',
        'if (entries.length > BOUNDS.jsonBytes)',
      ),
    ],
  },
  {
    name: 'M75',
    defect: 'recorders of others are noted and never forgotten',
    shownByTest: inTest(
      'integration',
      'test/integration/recorder-notes.int-spec.ts',
      'are of our own recorders alone',
    ),
    changes: [
      change(
        `${U}/apply-livekit-event.ts`,
        "if (recording?.upkeep.egresses[egressId] === 'live')",
        'if (recording !== undefined)',
      ),
    ],
  },
  {
    name: 'M76',
    defect: 'a bug in a script of ours is told as an outage of Redis, by a word in its message',
    shownByTest: inTest(
      'integration',
      'test/integration/redis-faults.int-spec.ts',
      'a bug in a script is no outage',
    ),
    changes: [
      change(
        'src/redis/redis-failure.ts',
        ': (REFUSALS[prefix] ?? null);',
        ': (Object.entries(REFUSALS).find(([word]) => message.toUpperCase().includes(word))?.[1] ?? null);',
      ),
    ],
  },
  {
    name: 'M77',
    defect: 'a record that a slow writer put behind its row stays older than that for ever',
    shownByTest: inTest(
      'integration',
      'test/integration/storage-sweeps.int-spec.ts',
      'writes a record again that a slow writer, overtaken, left behind its row',
    ),
    changes: [
      change(
        'src/sweeps/look-at-objects.ts',
        'const isInTime = writtenAfterMs >= 0 && writtenAfterMs < WRITTEN_WITHIN_MS;',
        'const isInTime = writtenAfterMs >= 0;',
      ),
    ],
  },
  {
    name: 'M78',
    defect: 'a deleted recording comes back where nobody has looked through the bucket for two days',
    shownByTest: inTest(
      'integration',
      'test/integration/storage-sweeps.int-spec.ts',
      'never brings back what was deleted, however long nobody has looked',
    ),
    changes: [
      change(
        `${S}/commit-recording.lua`,
        "redis.call('ZREMRANGEBYRANK', KEYS[10], 0, -1000001)",
        "redis.call('ZREMRANGEBYSCORE', KEYS[10], '-inf', tonumber(step.now) - 2 * 86400000)",
      ),
    ],
  },
  {
    name: 'M79',
    defect: 'what its maximum duration ended is COMPLETE where its end was not reported',
    shownByTest: inTest('unit', `${M}/lost-egress.spec.ts`, 'ends what was to end as it was to end'),
    changes: [
      change(
        `${M}/lost-egress.ts`,
        "return endReason === 'LIMIT_REACHED' ? 'LIMIT_REACHED' : 'COMPLETE';",
        "return endReason === null ? 'COMPLETE' : 'COMPLETE';",
      ),
    ],
  },
  {
    name: 'M80',
    defect: 'one free place of a worker is given to several continuations',
    shownByTest: inTest(
      'unit',
      'src/recordings/recorders/fleet-probe.spec.ts',
      'is asked anew of every kind once a place was taken',
    ),
    changes: [
      change(
        'src/recordings/recorders/fleet-probe.ts',
        'for (const [kind, { answered }] of this.latest) if (answered) this.latest.delete(kind);',
        'for (const [kind, { answered }] of this.latest) if (!answered) this.latest.delete(kind);',
      ),
    ],
  },
  {
    name: 'M81',
    defect: 'egresses that nothing explains are stopped, many at once, as soon as further passes agree',
    shownByTest: inTest(
      'unit',
      'src/sweeps/breaker.spec.ts',
      'stays open for egresses, however many passes agree',
    ),
    changes: [
      change(
        'src/sweeps/breaker.ts',
        "if (passes >= PASSES_THAT_AGREE && name !== 'ORPHANED_EGRESSES')",
        'if (passes >= PASSES_THAT_AGREE)',
      ),
    ],
  },
];

/** Throws for a name that is none. */
function mutantNamed(name) {
  const found = MUTANTS.find((mutant) => mutant.name === name);
  if (!found)
    throw new Error(
      `there is no mutant ${name}; there are ${MUTANTS.map((mutant) => mutant.name).join(', ')}`,
    );
  return found;
}

/** The source of this file (its path in the project) with the mutant in it. Throws where a text does not stand in it exactly once. */
function mutated({ name, changes }, path, source) {
  return changes
    .filter(({ file }) => file === path)
    .reduce((text, { find, replace }) => {
      if (text.split(find).length !== 2) throw new Error(`${name} no longer fits ${path}: ${find}`);
      return text.replace(find, () => replace);
    }, source);
}

module.exports = { MUTANTS, mutantNamed, mutated };

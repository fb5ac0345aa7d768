/** What is said when the delivery of a message is given up. */
import type { Result } from '../../core/result.js'
import type { Json } from '../../core/types.js'
import { say } from '../command.js'
import { answer, type Here, inLang } from './connected.js'

export const gaveUp = (here: Here, given: Result<Json>): number =>
  answer(here, given, () =>
    say(
      here,
      inLang(
        here,
        'Given up: it is ended here. The partner is told, as far as it can be reached.',
        'Aufgegeben: Hier ist es beendet. Der Partner erfährt es, soweit er erreichbar ist.',
      ),
    ),
  )

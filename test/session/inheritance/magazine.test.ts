import { deleteFrom, isA, joined, orderBy, select, selectin, set, update, where, withSubtypes } from '@unitary/core'
import * as Session from '@unitary/session'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import { openOn } from '../app.js'
import { openOnServer, servers } from '../server-app.js'
import { joinedPages, mixedPages, singlePages } from './magazine.js'

/** A session that runs programs, wherever its database is. */
interface Runner {
  readonly run: <E, A>(program: Session.Program<E, A>) => Promise<A>
}

const models = [
  ['joined tables', joinedPages],
  ['a single table', singlePages],
  ['both', mixedPages],
] as const

const hosts = [
  {
    title: 'SQLite',
    isMissing: false,
    open: async (model: typeof joinedPages): Promise<Runner> => {
      const app = openOn(model)
      return { run: async (program) => app.run(program) }
    },
  },
  ...servers.map(({ host, title, isMissing }) => ({
    title,
    isMissing,
    open: (model: typeof joinedPages): Promise<Runner> => openOnServer(host, model),
  })),
]

const draft = {
  name: 'Test',
  issues: [
    {
      number: 46,
      locations: [
        {
          ref: 'ABC',
          name: { name: 'London' },
          magazine: {
            size: { name: 'A4', width: 210, height: 297 },
            pages: [
              { pageNo: 1, orders: 'a', kind: 'm' as const },
              { pageNo: 2, orders: null, kind: 'm' as const },
              { pageNo: 3, orders: 'c', titles: 'for sale', kind: 'c' as const },
            ],
          },
        },
      ],
    },
  ],
}

describe.each(models)('a magazine in %s', (_, model) => {
  for (const { title, isMissing, open } of hosts) {
    test.skipIf(isMissing)(`comes back as it went, on ${title}`, async () => {
      const { run } = await open(model)
      await run(Session.add(model.Publication, draft))
      await run(Session.add(model.Page, { pageNo: 9 }))
      await run(Session.commit)
      await run(Session.expungeAll)

      const whole = pipe(
        select(model.Publication),
        selectin(
          'issues',
          selectin('locations', (location) => pipe(location, joined('name'), joined('magazine', joined('size')))),
        ),
      )
      const [publication] = await run(Session.query(whole))
      expect(publication).toMatchObject({
        name: 'Test',
        issues: [
          {
            number: 46,
            locations: [
              {
                ref: 'ABC',
                name: { value: { name: 'London' } },
                magazine: { value: { size: { value: { name: 'A4', width: 210, height: 297 } } } },
              },
            ],
          },
        ],
      })
      const magazine = publication?.issues[0]?.locations[0]?.magazine
      if (magazine?._tag !== 'Some') throw new Error('no magazine')
      const pages = await run(Session.load(model.Magazine, 'pages')(magazine.value))
      expect(pages.map(({ kind, pageNo, orders }) => [kind, pageNo, orders])).toEqual([
        ['m', 1, 'a'],
        ['m', 2, null],
        ['c', 3, 'c'],
      ])
      const [classified] = pages.filter(isA(model.ClassifiedPage))
      if (classified === undefined) throw new Error('no classified page')
      expect(await run(Session.read(model.ClassifiedPage)(classified))).toMatchObject({ titles: 'for sale', pageNo: 3 })
      expect(await run(Session.load(model.ClassifiedPage, 'magazine')(classified))).toMatchObject({ _tag: 'Some' })

      const all = await run(pipe(select(model.Page), withSubtypes('*'), orderBy('pageNo'), Session.query))
      expect(
        all.map((page) => (page.kind === 'c' ? page.titles : page.kind === 'm' ? page.orders : page.pageNo)),
      ).toEqual(['a', null, 'for sale', 9])
      const wanted = pipe(
        select(model.Page),
        withSubtypes('*'),
        where((eb) => eb.or([eb('ClassifiedPage.titles', 'is not', null), eb('MagazinePage.orders', '=', 'a')])),
        orderBy('pageNo'),
      )
      expect((await run(Session.query(wanted))).map(({ pageNo }) => pageNo)).toEqual([1, 3])
    })

    test.skipIf(isMissing)(`changes and goes row by row and by criteria, on ${title}`, async () => {
      const { run } = await open(model)
      await run(Session.add(model.Publication, draft))
      await run(Session.commit)
      const pages = pipe(select(model.MagazinePage), orderBy('pageNo'))
      const [first, , third] = await run(Session.query(pages))
      if (first === undefined || third === undefined) throw new Error('no pages')
      await run(Session.set(model.MagazinePage, { pageNo: 11, orders: 'z' })(first))
      await run(Session.set(model.ClassifiedPage, { titles: 'sold' })(third as never))
      await run(Session.commit)
      const sold = pipe(select(model.ClassifiedPage), where('titles', '=', 'sold'))
      expect(await run(Session.query(sold))).toMatchObject([{ pageNo: 3, orders: 'c' }])
      expect(await run(pipe(select(model.Page), where('pageNo', '>', 10), Session.query))).toMatchObject([
        { kind: 'm' },
      ])

      const moved = pipe(
        update(model.MagazinePage),
        set((eb) => ({ pageNo: eb('pageNo', '+', 1) })),
        where('orders', '=', 'c'),
      )
      expect(await run(Session.execute({ synchronize: 'fetch' })(moved))).toBe(1)
      const named = pipe(update(model.ClassifiedPage), set({ titles: 'x' }), where('pageNo', '=', 4))
      expect(await run(Session.execute()(named))).toBe(1)
      expect(await run(Session.query(pages))).toMatchObject([{ pageNo: 2 }, { pageNo: 4, titles: 'x' }, { pageNo: 11 }])

      await run(Session.remove(model.Page)(first))
      await run(Session.commit)
      expect(await run(pipe(deleteFrom(model.ClassifiedPage), Session.execute({ synchronize: 'fetch' })))).toBe(1)
      await run(Session.commit)
      expect((await run(Session.query(pages))).map(({ pageNo }) => pageNo)).toEqual([2])
    })
  }
})

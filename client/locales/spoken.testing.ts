/** Finds the sentences that a component says by itself, although they belong in a catalog. */
import { type AST, parse } from 'svelte/compiler'

const spokenAttributes = ['aria-label', 'aria-description', 'title', 'placeholder', 'alt', 'label', 'text']

/** What is not translated: names. */
const sameEverywhere = ['Facedown', 'QR', 'CSV', 'Markdown', 'JSON']

export function sentencesIn(component: string): string[] {
  const found: string[] = []
  const say = (text: string) => {
    const said = text.trim()
    if (/\p{L}/u.test(said) && !sameEverywhere.includes(said)) found.push(said)
  }
  walk(parse(component, { modern: true }).fragment, (node) => {
    if (node.type === 'Text') say(node.data)
    else if (node.type === 'ExpressionTag') literalsOf(node.expression).forEach(say)
    else if (node.type === 'Component') node.attributes.flatMap(sentencesPassed).forEach(say)
    return !isDirective(node) && (node.type !== 'Attribute' || spokenAttributes.includes(node.name))
  })
  return found
}

/** What a component is given that is no single lower-case word, as the name of a choice would be. */
function sentencesPassed(attribute: AST.Component['attributes'][number]): string[] {
  if (attribute.type !== 'Attribute' || spokenAttributes.includes(attribute.name)) return []
  const parts = attribute.value === true ? [] : [attribute.value].flat()
  return parts.flatMap((part) => (part.type === 'Text' && /\p{Lu}|\s/u.test(part.data) ? [part.data] : []))
}

function isDirective(node: AST.SvelteNode): boolean {
  return node.type.endsWith('Directive')
}

type Visit = (node: AST.SvelteNode) => boolean

/** Visits a template from the outside in, and the inside of a node only when asked to. */
function walk(node: unknown, visit: Visit): void {
  if (Array.isArray(node)) for (const each of node) walk(each, visit)
  if (!isNode(node) || !visit(node)) return
  for (const [name, child] of Object.entries(node)) if (name !== 'expression') walk(child, visit)
}

function isNode(value: unknown): value is AST.SvelteNode {
  return typeof value === 'object' && value !== null && 'type' in value
}

/** The texts an expression may become by itself, not those it only compares or passes on. */
function literalsOf(expression: AST.ExpressionTag['expression']): string[] {
  switch (expression.type) {
    case 'Literal':
      return typeof expression.value === 'string' ? [expression.value] : []
    case 'TemplateLiteral':
      return expression.quasis.map(({ value }) => value.cooked ?? '')
    case 'ConditionalExpression':
      return [...literalsOf(expression.consequent), ...literalsOf(expression.alternate)]
    case 'LogicalExpression':
      return [...literalsOf(expression.left), ...literalsOf(expression.right)]
    default:
      return []
  }
}

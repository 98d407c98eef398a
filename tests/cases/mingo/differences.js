// Where mingo and the cases disagree, by cause, page and name; one `*` in a name stands for anything. Each cause is judged by
// what MongoDB 4.0 does:
// - `mingo`: MongoDB does what the cases expect; what mingo does instead.
// - `open`: MongoDB promises neither.
// - `ours`: MongoDB does what mingo does; why the emulator does not.
'use strict';

const harmful = {
  reason: 'mingo would not end, or end the process, where MongoDB answers with an error',
  cases: {
    'aggregate/expressions-array': ['$range to beyond 32 bits', '$range too long', '$reduce that doubles without end'],
    'aggregate/stages/bucketAuto': ['granularity below zero'],
    'aggregate/stages/sample': ['below zero', 'not a number', 'no size', 'another option', 'not an object'],
  },
};

const differences = [
  {
    ours: 'The emulator refuses by name what it does not have',
    cases: {
      'filter/logical': ['bit tests are refused by name'],
      'filter/projection': ['the positional projection is refused by name'],
      'update/set': ['$currentDate is refused by name'],
      'aggregate/stages/sort': ['by a score'],
    },
  },
  {
    ours: 'The emulator takes what SDKs send in good faith and MongoDB refuses or takes otherwise (UNC-10, UNC-15)',
    cases: {
      'filter/evaluation': ["JavaScript's g, u and y are ignored"],
      'update/add-to-set': ['each without a dollar means the same'],
    },
  },
  {
    ours: "MongoDB's manual and the cloud's want a positive size; the server gives no document for 0 before 8.1, as mingo does",
    cases: { 'aggregate/stages/sample': ['zero'] },
  },
  {
    ours: 'The emulator bounds what one expression may take',
    cases: { 'aggregate/expressions-array': ['$reduce that nests without end'] },
  },
  {
    open: 'The manual gives the elements of sets no order; the cases expect them sorted, as MongoDB gives them in practice',
    cases: { 'aggregate/expressions-set': ['$setIntersection', '$setUnion'] },
  },
  {
    mingo: 'Operands of query operators are not checked',
    cases: {
      'filter/array': [
        '$all of other operators', '$all of $elemMatch and values', '$all of no array', '$size below 0', '$size of *',
        '$elemMatch of a value',
      ],
      'filter/comparison': ['$in takes no operators', '$gt takes no regular expression', '$ne takes no regular expression'],
      'filter/element': ['an unknown *', '$type of n*'],
      'filter/evaluation': ['$mod by 0', '$mod with *', '$mod of no array', '$regex with a number', '$expr within $elemMatch'],
      'filter/logical': ['$and of nothing', '$not of a value', '$not of nothing', '$not of a plain object'],
      'filter/projection': ['$elemMatch on a path'],
      'filter/sort': ['a wrong direction', 'a direction in words'],
    },
  },
  {
    mingo: 'Updates skip what they cannot be applied to, and do not check what is stored',
    cases: {
      'update/add-to-set': ['to text', 'more beside $each'],
      'update/bit': ['text'],
      'update/inc': ['text', 'null', 'a nested field is named by its own name', 'a numeric id in the text'],
      'update/mul': ['text'],
      'update/pop': ['text', 'a path through a value'],
      'update/positional': ['negations name no element', '$[] of a missing field', '$[] of no array', '$[] half way *'],
      'update/pull': ['from text', '$pullAll from text'],
      'update/push': ['onto *', '$sort in a wrong direction', '$sort by text', 'an unknown clause'],
      'update/rename': ['out of an array', 'into an array', 'under a value', 'to an empty name', 'positional paths *'],
      'update/set': [
        'padding has a limit', 'under *', 'a name in an array', 'one mistake *', 'an empty *', 'a nested field that begins *',
        'a query command in an update', 'a dollar within an array *', 'an operator of a value',
      ],
    },
  },
  {
    mingo: 'Operands of expressions are not checked; a wrong one makes null, NaN or nonsense',
    cases: {
      'aggregate/expressions-arithmetic': [
        '$trunc of three', '$divide of one', '$ln of 0', '$ln of a negative', '$log10 of 0', '$log by 1', '$log of a negative',
        '$mod by zero',
      ],
      'aggregate/expressions-array': [
        '$arrayToObject of a long pair', '$arrayToObject of a number as key', '$arrayToObject of three members',
        '* with an unknown member', '$filter with a bad name', '$size of missing', '$size of null', '$zip of nothing',
      ],
      'aggregate/expressions-conditional': [
        '$cond with*', '$ifNull of one', '$switch with *', '$switch without a match', '$switch without case',
        '$switch without then', '$switch of a number as branch',
      ],
      'aggregate/expressions-date': [
        '$dateToString by an unknown letter', '$dateToString with a last %', '$dateToString with an unknown member',
        '$dateToString without date', '$dateToString of the year 10000', '$dateToString of null in an unknown place',
        '$dateFromString by a format that does not fit', '$dateFromString of a word', '$dateFromString of a month too many',
        '$dateFromString of a time alone', '$dateFromString of a number', '$dateFromString with an offset in a place',
        '$dateFromString without dateString', '$dateFromString of no object', '$dateFromString with an unknown member',
        '$dateFromParts of text', '$dateFromParts of a fraction', '$dateFromParts of the year 10000',
        '$dateFromParts without year', '$dateFromParts of both calendars', '$dateFromParts with an unknown member',
        '$dateFromParts of no object', '$dateFromParts of a month beyond 16 bits', '$dateFromParts of weeks and a month',
        '$dateToParts with a number as flag', '$dateToParts without date', '$hour at no offset',
      ],
      'aggregate/expressions-object': ['$mergeObjects of a number', '$let with *', '$let without in'],
      'aggregate/expressions-set': ['$setEquals of one'],
      'aggregate/expressions-string': [
        '$split by nothing', '$substrCP to a negative', '$substrCP from a negative', '$trim of no object', '$trim with*',
        '$replaceAll without find', '$regexMatch of a number',
      ],
      'aggregate/expressions-type': [
        '$toDate of an int', '$toInt of a date', '$toInt of hexadecimal text', '$toInt of empty text', '$toInt of blanks',
        '$convert with an unknown member', '$convert of null to an unknown type',
      ],
      'aggregate/expressions-values': [
        'an operator after a field', 'a dotted field', 'a dollar alone', 'a path with *', 'a path that ends with a dot',
      ],
    },
  },
  {
    mingo: 'Stages are not checked',
    cases: {
      'aggregate/stages/addFields': [
        'not an object', 'empty', 'an empty *', 'a path twice', 'a path within another', 'a path around another',
        'a dotted name *', 'a name with $', 'a path that ends with a dot',
      ],
      'aggregate/stages/bucket': ['a default that is computed'],
      'aggregate/stages/bucketAuto': ['groupBy without $', 'buckets not *', 'output not an object', 'an unknown option'],
      'aggregate/stages/facet': ['empty', 'an empty pipeline', 'a facet in a facet', 'a name with a dot'],
      'aggregate/stages/group': [
        'mergeObjects of a number', 'not an accumulator', 'a dotted name', 'an operator as a name',
        'an array for an accumulator', 'inclusion in _id',
      ],
      'aggregate/stages/limit': ['zero', 'not a number'],
      'aggregate/stages/lookup': [
        'both forms', 'no as', 'one field', 'let without a pipeline', 'an unknown argument', 'a variable *',
      ],
      'aggregate/stages/project': ['empty', '$unset of a number'],
      'aggregate/stages/redact': ['another value'],
      'aggregate/stages/skip': ['not a number'],
      'aggregate/stages/sort': ['another number', 'a text', 'by an expression', 'a path with $'],
      'aggregate/stages/sortByCount': ['without $', 'an object without operator', 'a number'],
      'aggregate/stages/unwind': [
        'without $', 'an empty path', 'a flag that is none', 'an index that *', 'an index with $', 'another option',
      ],
    },
  },
  {
    mingo: "Regular expressions are JavaScript's, not PCRE's, and never equal a stored one",
    cases: { 'filter/evaluation': ["JavaScript's \\u is no PCRE", 'a stored expression equals the same expression'] },
  },
  {
    mingo: '$all looks only at arrays, and not at the array whole',
    cases: { 'filter/array': ['$all of one finds scalars too', '$all with an array', '$all with null finds missing'] },
  },
  {
    mingo: '$elemMatch and paths go into arrays within arrays, and take numbers for indexes where MongoDB does not',
    cases: {
      'filter/array': [
        '$all of $elemMatch', '$elemMatch with a *', '$elemMatch with $*', '$elemMatch with the empty query *',
        'an array within an array, by index', '$not $elemMatch',
      ],
      'filter/element': ['$exists *of a path'],
      'filter/paths': [
        'a number with leading zeros is no index', 'null at a path: *', '$exists false at a path', '$size at a path',
        '$elemMatch at a path', 'an array named by index is not looked into',
      ],
    },
  },
  {
    mingo: 'Comparisons of NaN, null and arrays are not by the order of BSON; an array in $in is only an element',
    cases: {
      'filter/comparison': [
        '$gte', '$lte', '* null finds null and missing', 'arrays compare with arrays', 'NaN is less *', '$in with an array *',
      ],
      'filter/logical': ['$not beside another operator'],
    },
  },
  {
    mingo: 'There is one type of number and no object id, and $type does not look into arrays',
    cases: {
      'filter/element': [
        '$type number', '$type int', '$type by number: long', '$type double', '$type string *', '$type null *', '$type object*',
      ],
      'aggregate/expressions-date': ['$year of an object id'],
      'aggregate/expressions-type': ['$type of a long', '$toDate of an object id', '$toString of an object id'],
      'aggregate/stages/match': ['behind a group'],
    },
  },
  {
    mingo: 'The order of the fields of a document does not count',
    cases: {
      'filter/equality': ["the order of an object's fields counts"],
      'update/add-to-set': ['objects are compared whole and in order'],
      'aggregate/expressions-comparison': ['$eq minds the order of fields'],
    },
  },
  {
    mingo: '$mod does not cut fractions and takes other types for numbers',
    cases: { 'filter/evaluation': ['$mod cuts fractions and looks into arrays', '$mod never *', 'golden: $mod'] },
  },
  {
    mingo: 'Comparisons in expressions are those of queries: by type, into arrays, with missing for null',
    cases: {
      'filter/evaluation': [
        '$expr compares *', '$expr knows *', '$expr orders *', '$expr beside *', '$expr within $nor', '$expr does not *',
      ],
      'aggregate/expressions-comparison': [
        '$eq of missing and null', '$eq does not *', '$gt of text and number', '$gt of null and missing',
        '$lt of missing and *', '$lt of a boolean and a date', '$lte of an object and an array',
      ],
      'aggregate/stages/match': ['$expr'],
    },
  },
  {
    mingo: '$slice in a projection includes nothing else',
    cases: { 'filter/projection': ['$slice alone keeps everything', '$slice takes the first and keeps other fields'] },
  },
  {
    mingo: 'Sorting loses its order at NaN, takes the wrong element of what a path finds, and $push sorts by one field only',
    cases: {
      'filter/sort': ['types *', 'a path through arrays takes the greatest *', 'an element without the field *'],
      'update/push': ['$sort by a field'],
    },
  },
  {
    mingo: 'Updates lack $or in $pull, two names in $bit, two operators on one $, $ behind an index, padding, _id as it is',
    cases: {
      'update/bit': ['several in their order'],
      'update/positional': ['two operators on one $', 'an index in the query *'],
      'update/pull': ['by $or'],
      'update/set': ['an index beyond *', '_id may be *'],
    },
  },
  {
    mingo: 'Accumulators take only lists for expressions, do not look into an only operand, mind null, and make NaN of too few',
    cases: {
      'aggregate/expressions-accumulators': [
        '$sum of text', '$sum of missing', '$sum of a constant', '$sum of one in an array', '$avg of nothing', '$avg of text',
        '$min of null', '$max ignores null', '$stdDevPop of nothing', '$stdDevSamp of one',
      ],
      'aggregate/stages/group': ['push, missing *', 'addToSet', 'deviations of too few'],
    },
  },
  {
    mingo: 'Sums of doubles lose what MongoDB keeps, which adds with twice the digits',
    cases: {
      'aggregate/expressions-accumulators': ['$sum of tenths'],
      'aggregate/expressions-arithmetic': ['$add does not lose small parts'],
      'aggregate/stages/group': ['sum of tenths'],
    },
  },
  {
    mingo: 'One operand must be in an array, or must not be, where MongoDB takes both',
    cases: {
      'aggregate/expressions-arithmetic': [
        '$add of one', '$round halves *', '$trunc of 7.85', '$trunc of -2.3', '$trunc of 0', '$trunc of {*', '$trunc of null',
        '$trunc of NaN',
      ],
      'aggregate/expressions-array': ['$reverseArray of arrays', '$size of nothing'],
      'aggregate/expressions-boolean': ['$and of one'],
      'aggregate/expressions-date': ['$dayOfMonth in an array'],
    },
  },
  {
    mingo: 'Null and missing operands make no null, and no empty text',
    cases: {
      'aggregate/expressions-arithmetic': ['$mod of null'],
      'aggregate/expressions-array': ['$map makes null of missing', '$slice by null', '$slice of null'],
      'aggregate/expressions-date': [
        '$year of null', '$m* of null', '$day* of null', '$hour of null', '$second of null', '$week of null', '$iso* of null',
        '$year of missing', '$m* of missing', '$day* of missing', '$hour of missing', '$second of missing', '$week of missing',
        '$iso* of missing', '$year in no time zone', '$dateToString in no time zone', '$dateFromParts of null',
        '$dateFromParts of missing', '$dateToParts of null',
      ],
      'aggregate/expressions-set': ['$setUnion of missing'],
      'aggregate/expressions-string': ['$strcasecmp of null', '$toLower of null', '$toUpper of missing', '$trim by null'],
      'aggregate/expressions-type': ['$convert to null'],
      'aggregate/expressions-values': ['missing elements are null'],
      'aggregate/stages/addFields': ['an array of expressions'],
    },
  },
  {
    mingo: 'Empty text and NaN count as false',
    cases: { 'aggregate/expressions-boolean': ['truth of empty text', 'truth of NaN'] },
  },
  {
    mingo: 'Mistakes of mingo in dates: weeks, %w and %%, months and days left out, the zones UTC and GMT, most forms of text',
    cases: {
      'aggregate/expressions-date': [
        '$week on 2019-05-14', '$isoWeekYear at the end of a year', '$dateToString of weeks', '$hour in UTC', '$hour in GMT',
        '$dateFromString with a *', '$dateFromString with an offset', '$dateFromString with slashes',
        '$dateFromString with the month first', '$dateFromString of digits', '$dateFromString of one digit each',
        '$dateFromString at noon', '$dateFromString by a format with *', '$dateFromString by a format in a place',
        '$dateFromString as JavaScript prints it', '$dateFromParts of a year', '$dateFromParts by weeks',
        '$dateFromParts carries milliseconds', '$dateFromParts of whole doubles',
      ],
    },
  },
  {
    open: 'The manual does not say which instant an hour means that comes twice; the case takes the first',
    cases: { 'aggregate/expressions-date': ['$dateFromParts at an hour that comes twice'] },
  },
  {
    mingo: "Text is JavaScript's: UTF-16 where MongoDB counts bytes, all letters where it knows ASCII, other forms of doubles",
    cases: {
      'aggregate/expressions-string': ['$indexOfBytes counts bytes', "$toLower is ASCII's"],
      'aggregate/expressions-type': [
        '$toString of a sum of tenths', '$toString of a double keeps six digits', '$toString of a large double', '$toString of a small double',
      ],
    },
  },
  {
    mingo: '$indexOfArray and $substr do not take their bounds, or values other than text, as MongoDB does',
    cases: {
      'aggregate/expressions-array': ['$indexOfArray from 1'],
      'aggregate/expressions-string': [
        '$substr* to the end', '$substr beyond', '$substrBytes beyond', '$substr of a number', '$substr of a date',
      ],
    },
  },
  {
    mingo: 'Paths in expressions go into arrays within arrays, and numbers in them are indexes',
    cases: { 'aggregate/expressions-values': ['a path through a nested array', 'a number in a path is no index'] },
  },
  {
    mingo: 'Variables of later versions, and of operators that are not around',
    cases: { 'aggregate/expressions-values': ['NOW is not in 4.0', 'this outside of an array'] },
  },
  {
    mingo: 'An empty array joins nothing, where MongoDB takes it for null; and matches come in the order of the values',
    cases: { 'aggregate/stages/lookup': ['equality: missing is null, arrays match by element'] },
  },
  {
    mingo: 'Stages set dotted paths and documents as single fields, or not in every element',
    cases: {
      'aggregate/stages/addFields': ['nested objects are paths', 'a path through *'],
      'aggregate/stages/lookup': ['dotted paths'],
      'aggregate/stages/project': ['computed within an array'],
      'aggregate/stages/unwind': ['the index at a dotted path', 'not through an array'],
    },
  },
  {
    mingo: '$bucket takes a bound for the end of an interval, and gives the default last instead of in order',
    cases: { 'aggregate/stages/bucket': ['without output, a count', 'a bound belongs *'] },
  },
  {
    mingo: 'Stages give what MongoDB leaves out: empty buckets, counts of nothing, pruned documents, more than there are',
    cases: {
      'aggregate/stages/bucket': ['empty intervals *', 'an expression to group by'],
      'aggregate/stages/bucketAuto': ['no documents, no buckets'],
      'aggregate/stages/count': ['of nothing, no document'],
      'aggregate/stages/limit': ['a double is cut'],
      'aggregate/stages/redact': ['prune the whole'],
      'aggregate/stages/sample': ['no more than there are', 'behind a match'],
    },
  },
];

module.exports = { differences, harmful };

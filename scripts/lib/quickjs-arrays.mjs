/**
 * Short ways for arrays: for-of, spreading, map, filter, some and every, and the lists of an object's keys and values.
 * They are taken only while the methods of the prototypes are those of the engine.
 */

const ordinary = `
static JSValue js_array_iterator_next(JSContext *ctx, JSValueConst this_val,
                                      int argc, JSValueConst *argv,
                                      int *pdone, int magic);
static JSValue js_create_array_iterator(JSContext *ctx, JSValueConst this_val,
                                        int argc, JSValueConst *argv, int magic);
static JSValue js_get_this(JSContext *ctx, JSValueConst this_val);

/* An array as a literal makes it: its elements are in a row, its only own property is its length. */
static JSObject *js_ordinary_array(JSContext *ctx, JSValueConst val)
{
    JSObject *p;
    if (JS_VALUE_GET_TAG(val) != JS_TAG_OBJECT)
        return NULL;
    p = JS_VALUE_GET_OBJ(val);
    if (p->class_id != JS_CLASS_ARRAY || !p->fast_array || p->shape->prop_count != 1 ||
        p->shape->proto != JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_ARRAY]) ||
        JS_VALUE_GET_TAG(p->prop[0].u.value) != JS_TAG_INT)
        return NULL;
    return p;
}

/* The value of a property that is no accessor; undefined for none. */
static JSValueConst js_own_plain_value(JSValueConst obj, JSAtom name)
{
    JSProperty *pr;
    JSShapeProperty *prs = find_own_property(&pr, JS_VALUE_GET_OBJ(obj), name);
    return prs && !(prs->flags & JS_PROP_TMASK) ? pr->u.value : JS_UNDEFINED;
}

static bool js_is_array_next(JSValueConst func)
{
    JSObject *p;
    if (JS_VALUE_GET_TAG(func) != JS_TAG_OBJECT)
        return false;
    p = JS_VALUE_GET_OBJ(func);
    return p->class_id == JS_CLASS_C_FUNCTION && p->u.cfunc.c_function.iterator_next == js_array_iterator_next;
}

/* Array.prototype[Symbol.iterator] is the engine's values(). */
static bool js_arrays_have_own_iterator(JSContext *ctx)
{
    JSCFunctionType values = { .generic_magic = js_create_array_iterator };
    JSValueConst method = js_own_plain_value(ctx->class_proto[JS_CLASS_ARRAY], JS_ATOM_Symbol_iterator);
    return JS_IsCFunction(ctx, method, values.generic, JS_ITERATOR_KIND_VALUE);
}

/* The next element of an array that for-of goes over; false at its end, and if anything is unusual. */
static bool js_array_next_in_place(JSValueConst iterator, JSValueConst next, JSValue *value);
`;

const forOfStart = `    op1 = sp[-1];
    obj = JS_GetIterator(ctx, op1, is_async);
`;

const forOfStartArray = `    op1 = sp[-1];
    if (!is_async && js_ordinary_array(ctx, op1) && js_arrays_have_own_iterator(ctx))
        obj = js_create_array_iterator(ctx, op1, 0, NULL, JS_ITERATOR_KIND_VALUE);
    else
        obj = JS_GetIterator(ctx, op1, is_async);
`;

const forOfNext = `    if (likely(!JS_IsUndefined(sp[offset]))) {
        value = JS_IteratorNext(`;

const forOfNextElement = `    if (js_array_next_in_place(sp[offset], sp[offset + 1], &sp[0])) {
        sp[1] = JS_FALSE;
        return 0;
    }
${forOfNext}`;

const iteratorType = `static void js_array_iterator_finalizer(JSRuntime *rt, JSValueConst val)
{
    JSObject *p = JS_VALUE_GET_OBJ(val);
`;

const nextInPlace = `static bool js_array_next_in_place(JSValueConst iterator, JSValueConst next, JSValue *value)
{
    JSArrayIteratorData *it;
    JSObject *p;
    if (JS_VALUE_GET_TAG(iterator) != JS_TAG_OBJECT || !js_is_array_next(next))
        return false;
    p = JS_VALUE_GET_OBJ(iterator);
    if (p->class_id != JS_CLASS_ARRAY_ITERATOR)
        return false;
    it = p->u.array_iterator_data;
    if (it->kind != JS_ITERATOR_KIND_VALUE || JS_VALUE_GET_TAG(it->obj) != JS_TAG_OBJECT)
        return false;
    p = JS_VALUE_GET_OBJ(it->obj);
    if (p->class_id != JS_CLASS_ARRAY || !p->fast_array || it->idx >= p->u.array.count)
        return false;
    *value = js_dup(p->u.array.u.values[it->idx++]);
    return true;
}

${iteratorType}`;

const append = `    iterator = JS_GetProperty(ctx, sp[-1], JS_ATOM_Symbol_iterator);
    if (JS_IsException(iterator))
        return -1;
`;

const appendInPlace = `    JSObject *from = js_ordinary_array(ctx, sp[-1]), *to = js_ordinary_array(ctx, sp[-3]);
    if (from && to && from != to && to->u.array.count == pos && to->extensible &&
        JS_VALUE_GET_INT(from->prop[0].u.value) == (int)from->u.array.count &&
        js_arrays_have_own_iterator(ctx) &&
        js_is_array_next(js_own_plain_value(ctx->class_proto[JS_CLASS_ARRAY_ITERATOR], JS_ATOM_next))) {
        count32 = from->u.array.count;
        if (pos + count32 > to->u.array.u1.size && expand_fast_array(ctx, to, pos + count32))
            return -1;
        for (i = 0; i < count32; i++) {
            if (add_fast_array_element(ctx, to, js_dup(from->u.array.u.values[i]), 0) < 0)
                return -1;
        }
        sp[-2] = js_int32(pos + count32);
        return 0;
    }
${append}`;

const species = `    res = js_is_array(ctx, obj);
    if (res < 0)
        return JS_EXCEPTION;
    if (!res)
        return js_array_constructor(ctx, JS_UNDEFINED, 1, &len_val);
    ctor = JS_GetProperty(ctx, obj, JS_ATOM_constructor);
`;

const ordinarySpecies = `    if (js_ordinary_array(ctx, obj) && JS_VALUE_GET_TAG(len_val) == JS_TAG_INT && js_arrays_make_arrays(ctx)) {
        int32_t len = JS_VALUE_GET_INT(len_val);
        ret = JS_NewArray(ctx);
        if (JS_IsException(ret))
            return ret;
        JS_VALUE_GET_OBJ(ret)->prop[0].u.value = js_int32(len);
        if (len > 0 && len < 1024 && expand_fast_array(ctx, JS_VALUE_GET_OBJ(ret), len)) {
            JS_FreeValue(ctx, ret);
            return JS_EXCEPTION;
        }
        return ret;
    }
${species}`;

const speciesStart = `static JSValue JS_ArraySpeciesCreate(JSContext *ctx, JSValueConst obj,
                                     JSValueConst len_val)
{
`;

const makeArrays = `/* map and filter of an array make an Array: neither its constructor nor Array[Symbol.species] has been replaced. */
static bool js_arrays_make_arrays(JSContext *ctx)
{
    JSCFunctionType self = { .getter = js_get_this };
    JSValueConst constructor = js_own_plain_value(ctx->class_proto[JS_CLASS_ARRAY], JS_ATOM_constructor);
    JSProperty *pr;
    JSShapeProperty *prs;
    if (JS_VALUE_GET_TAG(constructor) != JS_TAG_OBJECT || JS_VALUE_GET_OBJ(constructor) != JS_VALUE_GET_OBJ(ctx->array_ctor))
        return false;
    prs = find_own_property(&pr, JS_VALUE_GET_OBJ(constructor), JS_ATOM_Symbol_species);
    return prs && (prs->flags & JS_PROP_TMASK) == JS_PROP_GETSET && pr->u.getset.getter &&
           JS_IsCFunction(ctx, JS_MKPTR(JS_TAG_OBJECT, pr->u.getset.getter), self.generic, 0);
}

${speciesStart}`;

const everyElement = `            present = JS_TryGetPropertyInt64(ctx, obj, k, &val);
            if (present < 0)
                goto exception;
        }
        if (present) {
            index_val = js_int64(k);
            args[0] = val;
            args[1] = index_val;
            args[2] = obj;
            res = JS_Call(ctx, func, this_arg, 3, args);`;

const everyElementInPlace = `            JSObject *p = JS_VALUE_GET_OBJ(obj);
            if (p->class_id == JS_CLASS_ARRAY && p->fast_array && k < p->u.array.count) {
                val = js_dup(p->u.array.u.values[k]);
                present = true;
            } else {
                present = JS_TryGetPropertyInt64(ctx, obj, k, &val);
            }
            if (present < 0)
                goto exception;
        }
        if (present) {
            index_val = js_int64(k);
            args[0] = val;
            args[1] = index_val;
            args[2] = obj;
            res = JS_Call(ctx, func, this_arg, 3, args);`;

const mapped = `                if (JS_DefinePropertyValueInt64(ctx, ret, k, res,
                                                JS_PROP_C_W_E | JS_PROP_THROW) < 0)
                    goto exception;
                break;
            case special_map | special_TA:`;

const mappedInPlace = `                if (js_ordinary_array(ctx, ret) && JS_VALUE_GET_OBJ(ret)->extensible &&
                    JS_VALUE_GET_OBJ(ret)->u.array.count == k) {
                    if (add_fast_array_element(ctx, JS_VALUE_GET_OBJ(ret), res, JS_PROP_THROW) < 0)
                        goto exception;
                    break;
                }
${mapped}`;

const flattened = `        present = JS_TryGetPropertyInt64(ctx, source, sourceIndex, &element);
        if (present < 0)
            return -1;
        if (!present)
            continue;
        if (!JS_IsUndefined(mapperFunction)) {`;

const flattenedInPlace = `        JSObject *from = JS_VALUE_GET_OBJ(source), *to, *inner;
        uint32_t i;
        if (from->class_id == JS_CLASS_ARRAY && from->fast_array && sourceIndex < from->u.array.count) {
            element = js_dup(from->u.array.u.values[sourceIndex]);
            present = true;
        } else {
            present = JS_TryGetPropertyInt64(ctx, source, sourceIndex, &element);
        }
        if (present < 0)
            return -1;
        if (!present)
            continue;
        if (!JS_IsUndefined(mapperFunction)) {`;

const innerArray = `        if (depth > 0) {
            is_array = js_is_array(ctx, element);
            if (is_array < 0)
                goto fail;
            if (is_array) {
                if (js_get_length64(ctx, &elementLen, element) < 0)`;

const innerArrayInPlace = `        to = js_ordinary_array(ctx, target);
        if (to && (!to->extensible || to->u.array.count != targetIndex))
            to = NULL;
        inner = to && depth == 1 ? js_ordinary_array(ctx, element) : NULL;
        if (inner && JS_VALUE_GET_INT(inner->prop[0].u.value) == (int)inner->u.array.count) {
            for (i = 0; i < inner->u.array.count; i++) {
                if (add_fast_array_element(ctx, to, js_dup(inner->u.array.u.values[i]), JS_PROP_THROW) < 0)
                    goto fail;
            }
            targetIndex += i;
            JS_FreeValue(ctx, element);
            continue;
        }
        if (to && JS_VALUE_GET_TAG(element) != JS_TAG_OBJECT) {
            if (add_fast_array_element(ctx, to, element, JS_PROP_THROW) < 0)
                return -1;
            targetIndex++;
            continue;
        }
${innerArray}`;

const names = `    p = JS_VALUE_GET_OBJ(obj);
    if (JS_GetOwnPropertyNamesInternal(ctx, &atoms, &len, p, flags & ~JS_GPN_ENUM_ONLY))
        goto exception;
    r = JS_NewArray(ctx);
`;

const namesInPlace = `    p = JS_VALUE_GET_OBJ(obj);
    if (p->class_id == JS_CLASS_OBJECT && !p->is_exotic && flags == (JS_GPN_ENUM_ONLY | JS_GPN_STRING_MASK)) {
        r = js_plain_names(ctx, p, kind);
        if (!JS_IsUndefined(r)) {
            JS_FreeValue(ctx, obj);
            return r;
        }
    }
${names}`;

const namesStart = `static JSValue JS_GetOwnPropertyNames2(JSContext *ctx, JSValueConst obj1,
                                       int flags, int kind)
{
`;

const plainNames = `/* Keys, values or entries of an object of plain properties with names in their order; undefined for any other. */
static JSValue js_plain_names(JSContext *ctx, JSObject *p, int kind)
{
    JSShape *sh = p->shape;
    JSShapeProperty *prs = get_shape_prop(sh);
    JSValue r = JS_NewArray(ctx), val;
    JSAtomStruct *name;
    int i;
    if (JS_IsException(r) || (sh->prop_count > 0 && expand_fast_array(ctx, JS_VALUE_GET_OBJ(r), sh->prop_count)))
        goto fail;
    for (i = 0; i < sh->prop_count; i++, prs++) {
        if (prs->atom == JS_ATOM_NULL)
            continue;
        if (__JS_AtomIsTaggedInt(prs->atom) || (prs->flags & JS_PROP_TMASK))
            goto other;
        name = ctx->rt->atom_array[prs->atom];
        if (name->atom_type != JS_ATOM_TYPE_STRING || !(prs->flags & JS_PROP_ENUMERABLE))
            continue;
        /* Perhaps a number, and those come first. */
        if (name->len > 0 && !name->is_wide_char && is_digit(str8(name)[0]))
            goto other;
        if (kind == JS_ITERATOR_KIND_VALUE) {
            val = js_dup(p->prop[i].u.value);
        } else if (kind == JS_ITERATOR_KIND_KEY_AND_VALUE) {
            JSValueConst both[2] = { JS_MKPTR(JS_TAG_STRING, name), p->prop[i].u.value };
            val = js_create_array(ctx, 2, both);
            if (JS_IsException(val))
                goto fail;
        } else {
            val = js_dup(JS_MKPTR(JS_TAG_STRING, name));
        }
        if (add_fast_array_element(ctx, JS_VALUE_GET_OBJ(r), val, 0) < 0)
            goto fail;
    }
    return r;
fail:
    JS_FreeValue(ctx, r);
    return JS_EXCEPTION;
other:
    JS_FreeValue(ctx, r);
    return JS_UNDEFINED;
}

${namesStart}`;

/** @type {import('./quickjs-changes.mjs').Change[]} */
export const arrays = [
  {
    find: '\nstatic __exception int js_for_of_start(JSContext *ctx, JSValue *sp,',
    put: `${ordinary}\nstatic __exception int js_for_of_start(JSContext *ctx, JSValue *sp,`,
    times: 1,
  },
  { find: forOfStart, put: forOfStartArray, times: 1 },
  { find: forOfNext, put: forOfNextElement, times: 1 },
  { find: iteratorType, put: nextInPlace, times: 1 },
  { find: append, put: appendInPlace, times: 1 },
  { find: species, put: ordinarySpecies, times: 1 },
  { find: speciesStart, put: makeArrays, times: 1 },
  { find: everyElement, put: everyElementInPlace, times: 1 },
  { find: mapped, put: mappedInPlace, times: 1 },
  { find: flattened, put: flattenedInPlace, times: 1 },
  { find: innerArray, put: innerArrayInPlace, times: 1 },
  { find: names, put: namesInPlace, times: 1 },
  { find: namesStart, put: plainNames, times: 1 },
  // Most arrays that grow have few elements.
  {
    find: '    new_size = max_uint32(new_len, new_size);\n    new_array_prop = js_realloc(',
    put: '    new_size = max_uint32(max_uint32(new_len, 4), new_size);\n    new_array_prop = js_realloc(',
    times: 1,
  },
];

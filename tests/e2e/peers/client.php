<?php
// An old client on PHP's own SoapClient: reads jobs from standard input as JSON and prints what came of each call.
// A job is {wsdl, address, version, document, calls: [{operation, arguments, header}]}.

declare(strict_types=1);
ini_set('soap.wsdl_cache_enabled', '0');
ini_set('serialize_precision', '-1');
ini_set('default_socket_timeout', '10');

/** JSON as the gateway maps it, as PHP's SOAP wants it; bytes are bytes, never base64. */
function given(mixed $value, string|int $key = ''): mixed
{
    if (!is_array($value)) {
        return $key === 'image' ? base64_decode($value) : $value;
    }
    $given = [];
    foreach ($value as $name => $each) {
        $given[$name === '$value' ? '_' : (is_string($name) ? ltrim($name, '@') : $name)] = given($each, $name);
    }
    return $given;
}

/** What a call returned, in an order and a form that can be compared: bytes are base64. */
function shown(mixed $value, string|int $key = ''): mixed
{
    if (is_string($value) && !preg_match('//u', $value)) {
        return base64_encode($value);
    }
    if (is_object($value)) {
        $value = get_object_vars($value);
        ksort($value);
        return (object) array_map('shown', $value);
    }
    return is_array($value) ? array_map('shown', $value) : $value;
}

function called(SoapClient $client, array $job, array $call): array
{
    $given = given($call['arguments']);
    $arguments = $job['document'] ? [$given] : array_values($given); // one wrapper, or a value for each part
    $headers = [];
    foreach ($call['header'] ?? [] as $name => $value) {
        $headers[] = new SoapHeader('urn:example:loans', $name, $value);
    }
    $received = [];
    try {
        $result = $client->__soapCall($call['operation'], $arguments, null, $headers, $received);
    } catch (SoapFault $fault) {
        $detail = shown($fault->detail ?? null);
        return ['fault' => ['code' => $fault->faultcode, 'reason' => $fault->getMessage(), 'detail' => $detail]];
    }
    return ['result' => shown($result), 'header' => shown((object) $received)];
}

$told = [];
foreach (json_decode(stream_get_contents(STDIN), true) as $job) {
    $version = $job['version'] === '1.2' ? SOAP_1_2 : SOAP_1_1;
    $options = ['location' => $job['address'], 'soap_version' => $version, 'connection_timeout' => 5];
    $client = new SoapClient($job['wsdl'], $options);
    $told[] = array_map(fn($call) => called($client, $job, $call), $job['calls']);
}
echo json_encode($told, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR), "\n";
